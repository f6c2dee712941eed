import { asm, defineCases, type MachineOptions, type ModeName } from "../../mod.ts";

interface Row {
  mode: ModeName;
  machine?: Omit<MachineOptions, "handlers">;
  /** Bytes that CALL pushes. */
  pushed: 2 | 4 | 8;
}

const rows: Record<string, Row> = {
  real: { mode: "real", pushed: 2 },
  protected: { mode: "protected", pushed: 4 },
  "protected-user": { mode: "protected", machine: { privilege: 3 }, pushed: 4 },
  paged: { mode: "paged", pushed: 4 },
  "paged-user": { mode: "paged", machine: { privilege: 3 }, pushed: 4 },
  pae: { mode: "pae", pushed: 4 },
  long: { mode: "long", pushed: 8 },
  "long-user": { mode: "long", machine: { privilege: 3 }, pushed: 8 },
};

/** Single-stepping follows branches, calls, and both ways of a condition, in every mode. */
export default defineCases("debug/step-mode", rows, ({ mode, machine, pushed }) => ({
  spec: [
    "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_SINGLESTEP)",
    "SDM 3B 18.3.1.4: single-step exception condition",
  ],
  mode,
  machine,
  requires: ["KVM_CAP_SET_GUEST_DEBUG"],
  registers: { rcx: 1n },
  guest: asm`
    call routine
    returned:
    cmp cl, 2
    compared:
    jne never
    not_taken:
    je equal
    never:
    mov al, 1
    equal:
    mov byte [0xa000], 0x5a
    stored:
    mov al, 2
    jmp never
    routine:
    inc cl
    counted:
    ret
  `,
  drive: ({ run, vcpu }) => {
    for (let step = 0; step < 7; step++) {
      vcpu.setGuestDebug({ singleStep: true });
      run();
    }
  },
  trace: ({ routine, counted, returned, compared, not_taken, equal, stored }) => `
    ${
    [routine, counted, returned, compared, not_taken, equal, stored].map((rip) => `
      > guest-debug single-step
      debug exception=0x1 rip=${rip} dr6=0xffff4ff0
    `).join("\n")
  }
    = rcx 0x2
    = rip ${stored}
    = rflags 0x46
    = mem 0xa000 u8 0x5a
    = mem ${`0x${(0x8000 - pushed).toString(16)}`} u${8 * pushed} ${returned}
  `,
}));
