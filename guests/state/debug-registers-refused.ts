import { asm, defineCases } from "../../mod.ts";

const rows = {
  "flags": { flags: 1n },
  "dr6-high-half": { dr6: 0x1_ffff0ff0n },
  "dr7-high-half": { dr7: 0x1_00000400n },
};

/** KVM_SET_DEBUGREGS refuses flags and the upper halves of DR6 and DR7, which are reserved. */
export default defineCases("state/debug-registers-refused", rows, (change) => ({
  spec: ["KVM API 4.34: KVM_SET_DEBUGREGS", "SDM 3B 18.2.6: the upper halves are reserved"],
  mode: "long",
  requires: ["KVM_CAP_DEBUGREGS"],
  guest: asm`hlt`,
  drive({ vcpu, attempt, assertEquals }) {
    const before = vcpu.debugRegs();
    attempt(() => vcpu.setDebugRegs({ ...before, db: [1n, 2n, 3n, 4n], ...change }));
    assertEquals("the registers after the refusal", vcpu.debugRegs(), before);
  },
  trace: `
    > set-debugregs -> EINVAL
    hlt
  `,
}));
