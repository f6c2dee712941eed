import { asm, defineCases, type ModeName } from "../../mod.ts";

/** Guests that fault where no handler can be reached: `faulting` is the instruction at fault. */
const rows: Record<string, { mode: ModeName; prepare?: string; faulting: string }> = {
  // The IDTR's limit is 0, so no vector can be read, #DF's neither.
  real: { mode: "real", faulting: "ud2" },
  // The gates are not present: #UD, then #NP on its delivery, then #NP again, which is #DF.
  "protected-ud": { mode: "protected", faulting: "ud2" },
  "protected-gp": {
    mode: "protected",
    prepare: "mov eax, 0xf8",
    faulting: "mov fs, ax",
  },
  "protected-idt-limit": {
    mode: "protected",
    prepare: "lidt [idt]",
    faulting: "ud2",
  },
  "long-ud": { mode: "long", faulting: "ud2" },
  "long-de": { mode: "long", prepare: "xor ecx, ecx", faulting: "div ecx" },
  "long-idt-limit": { mode: "long", prepare: "lidt [idt]", faulting: "ud2" },
  // Present, but the IDT lies where no page is.
  "long-idt-unmapped": { mode: "long", prepare: "lidt [unmapped]", faulting: "ud2" },
};

/** A triple fault is a shutdown: the guest ends at the fault and its memory is as it was. */
export default defineCases("exit/shutdown", rows, ({ mode, prepare = "", faulting }) => ({
  spec: ["KVM API 5: KVM_EXIT_SHUTDOWN", "SDM 3A 6.15: Interrupt 8", "APM 2 8.2.9"],
  mode,
  machine: mode === "long"
    ? { map: [{ virtual: 0x10000000, physical: 0, size: 0x200000, present: false }] }
    : {},
  guest: asm`
    mov byte [0xa000], 0x5a
    ${prepare}
    ${faulting}
    mov byte [0xa001], 0x5a
    out 0x10, al
    hlt
    idt:
    dw 0
    dd 0x2000, 0
    unmapped:
    dw 0xfff
    dq 0x10002000
  `,
  trace: `
    shutdown
    = mem 0xa000 u8 [0x5a 0x0]
  `,
}));
