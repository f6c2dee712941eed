import { asm, defineCases, type ModeName } from "../../mod.ts";

const rows: Record<string, { mode: ModeName; jump: string; state: string }> = {
  real: {
    mode: "real",
    jump: "jmp 0x2000:0x20",
    state: `
      = rip 0x20
      = cs.selector 0x2000
      = cs.base 0x20000
    `,
  },
  protected: {
    mode: "protected",
    jump: "mov eax, 0xd0000020\njmp eax",
    state: `
      = rip 0xd0000020
      = rax 0xd0000020
    `,
  },
  long: {
    mode: "long",
    jump: "mov eax, 0xd0000020\njmp rax",
    state: `
      = rip 0xd0000020
      = rax 0xd0000020
    `,
  },
};

/** Code cannot be fetched from a device: no MMIO exit, but an emulation failure at its address. */
export default defineCases("exit/internal-error-fetch", rows, ({ mode, jump, state }) => ({
  spec: ["KVM API 5: KVM_EXIT_INTERNAL_ERROR (KVM_INTERNAL_ERROR_EMULATION)"],
  mode,
  guest: asm`
    out 0x10, al
    ${jump}
    hlt
  `,
  trace: `
    pio out 0x10 u8 0x0
    internal-error emulation
    ${state}
  `,
}));
