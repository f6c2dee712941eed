import { asm, defineCases } from "../../mod.ts";

interface Row {
  guest: string;
  steps: readonly string[];
  state: string;
}

const rows: Record<string, Row> = {
  // The flags that POPF loads are the guest's, but for the host's TF.
  popf: {
    guest: `
      push 0x8d7
      pushed:
      popfq
      popped:
      nop
      behind:
    `,
    steps: ["pushed", "popped", "behind"],
    state: "= rflags 0x8d7\n= mem 0x7ff8 u64 0x8d7",
  },
  iret: {
    guest: `
      push 0x30
      a:
      push 0x7f00
      b:
      push 0x8d7
      c:
      push 0x28
      d:
      push target
      e:
      iretq
      out 0xee, al
      target:
      nop
      behind:
    `,
    steps: ["a", "b", "c", "d", "e", "target", "behind"],
    state: "= rflags 0x8d7\n= rsp 0x7f00\n= mem 0x7fd8 u64 [* 0x28 0x8d7 0x7f00 0x30]",
  },
  // Interrupts wait for the instruction behind STI, the step does not.
  sti: {
    guest: `
      sti
      enabled:
      nop
      shadow_over:
      cli
      behind:
    `,
    steps: ["enabled", "shadow_over", "behind"],
    state: "",
  },
  // MOV SS holds debug traps off until the next instruction is through.
  "mov-ss": {
    guest: `
      mov eax, ss
      selector:
      mov ss, eax
      nop
      behind:
      nop
      further:
    `,
    steps: ["selector", "behind", "further"],
    state: "= rax 0x30",
  },
  "far-return": {
    guest: `
      push 0x28
      a:
      push target
      b:
      db 0x48, 0xcb             ; retf, 64-bit
      out 0xee, al
      target:
      nop
      behind:
    `,
    steps: ["a", "b", "target", "behind"],
    state: "= mem 0x7ff0 u64 [* 0x28]",
  },
  "jump-through-memory": {
    guest: `
      mov qword [0xa000], target
      a:
      jmp [0xa000]
      out 0xee, al
      target:
      nop
      behind:
    `,
    steps: ["a", "target", "behind"],
    state: "= mem 0xa000 u64 *",
  },
  loop: {
    guest: `
      mov ecx, 2
      again:
      loop again
      behind:
    `,
    steps: ["again", "again", "behind"],
    state: "",
  },
};

/** Single steps through instructions that load flags, segments or RIP. */
export default defineCases("debug/step-control", rows, ({ guest, steps, state }) => ({
  spec: [
    "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_SINGLESTEP)",
    "SDM 3B 18.3.1.4: single-step exception condition",
    "SDM 3A 6.8.3: masking exceptions and interrupts when switching stacks",
  ],
  mode: "long",
  requires: ["KVM_CAP_SET_GUEST_DEBUG"],
  guest: asm`
    ${guest}
    hlt
  `,
  drive: ({ run, vcpu }) => {
    for (const _ of steps) {
      // An instruction that loads the flags may take the host's TF away.
      vcpu.setGuestDebug({ singleStep: true });
      run();
    }
    vcpu.setGuestDebug();
  },
  trace: (labels) => `
    ${
    steps.map((step) => `
      > guest-debug single-step
      debug exception=0x1 rip=${labels[step]} dr6=0xffff4ff0
    `).join("\n")
  }
    > guest-debug off
    hlt
    ${state}
  `,
}));
