import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, ModeName> = {
  real: "real",
  protected: "protected",
  paged: "paged",
  pae: "pae",
  long: "long",
};

/** HLT leaves the guest when no interrupt controller is in the kernel: once, with RIP past it. */
export default defineCases("exit/hlt", modes, (mode) => ({
  spec: ["KVM API 5: KVM_EXIT_HLT", "SDM 2A: HLT"],
  mode,
  // HLT changes no flag, so each starts set: CF, PF, AF, ZF, SF, DF and OF.
  machine: { rflags: { set: 0xcd5n } },
  guest: asm`
    nop
    hlt
    halted:
    ud2
  `,
  trace: ({ halted }) => `
    hlt
    = rip ${halted}
  `,
}));
