import { asm, defineCases } from "../../mod.ts";
import { Random } from "./_random.ts";

const rows = { "seed-1": 1, "seed-2": 2, "seed-3": 3 };

/** KVM_GET_DEBUGREGS gives the debug registers as KVM_SET_DEBUGREGS was given them. */
export default defineCases("state/debug-registers", rows, (seed) => ({
  spec: [
    "KVM API 4.33: KVM_GET_DEBUGREGS",
    "KVM API 4.34: KVM_SET_DEBUGREGS",
    "SDM 3B 18.2: debug registers",
  ],
  mode: "long",
  requires: ["KVM_CAP_DEBUGREGS"],
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const random = new Random(seed);
    const before = vcpu.debugRegs();
    const registers = {
      db: Array.from({ length: 4 }, () => random.canonical()),
      // The status bits B0 to B3, BD, BS, BT over those that read 1.
      dr6: 0xffff0ff0n | random.some(0xe00fn),
      // Enables, R/W and LEN; GD would catch the guest's own accesses.
      dr7: 0x400n | random.some(0xffff03ffn),
      flags: 0n,
    };
    vcpu.setDebugRegs(registers);
    assertEquals("the registers", vcpu.debugRegs(), registers);
    vcpu.setDebugRegs(before);
    assertEquals("the registers as before", vcpu.debugRegs(), before);
  },
  trace: `
    > set-debugregs
    > set-debugregs
    hlt
  `,
}));
