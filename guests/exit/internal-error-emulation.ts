import { asm, defineCases, type ModeName } from "../../mod.ts";

/**
 * Instructions that read memory and that KVM's emulator does not know. On memory they run; on a
 * device KVM has to emulate them.
 */
const rows: Record<string, { mode: ModeName; prepare: string; unknown: string; state: string }> = {
  "real-bound": {
    mode: "real",
    prepare: "mov ax, 0x2000\nmov ds, ax",
    unknown: "bound bx, [0x10]",
    state: `
      = rax 0x2000
      = ds.selector 0x2000
      = ds.base 0x20000
    `,
  },
  "protected-lar": {
    mode: "protected",
    prepare: "",
    unknown: "lar eax, [0xd0000010]",
    state: "",
  },
  "protected-verw": {
    mode: "protected",
    prepare: "",
    unknown: "verw [0xd0000010]",
    state: "",
  },
  "long-lsl": {
    mode: "long",
    prepare: "mov edi, 0xd0000010",
    unknown: "lsl eax, [rdi]",
    state: "= rdi 0xd0000010",
  },
};

/** An access to a device by an instruction that KVM cannot emulate ends the guest at it. */
export default defineCases("exit/internal-error-emulation", rows, (row) => ({
  spec: ["KVM API 5: KVM_EXIT_INTERNAL_ERROR (KVM_INTERNAL_ERROR_EMULATION)"],
  mode: row.mode,
  machine: { rflags: { set: 0x8d5n } },
  guest: asm`
    ${row.prepare}
    unknown:
    ${row.unknown}
    mov byte [0xa000], 1
    hlt
  `,
  trace: ({ unknown }) => `
    internal-error emulation
    = rip ${unknown}
    ${row.state}
  `,
}));
