import { asm, defineCases, type FloatingPointRegisters } from "../../mod.ts";
import { Random } from "./_random.ts";

type Change = (random: Random) => Partial<FloatingPointRegisters>;

/** A register of x87: 10 bytes of 16. */
function stackRegister(random: Random): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(random.bytes(10));
  return bytes;
}

const rows: Record<string, Change> = {
  // Precision and rounding control and the masks; bit 6 is always 1 (SDM 1 8.1.5).
  "control-word": (random) => ({ fcw: random.number(12) & 0xf3f | 0x40 }),
  // No exception flag, so that nothing waits to be raised.
  "status-word": (random) => ({ fsw: random.number(16) & 0x7f00 }),
  "tag-word": (random) => ({ ftwx: random.number(8) }),
  "last-instruction": (random) => ({
    last_opcode: random.number(11),
    last_ip: random.next(32),
    last_dp: random.next(32),
  }),
  "stack": (random) => ({ fpr: Array.from({ length: 8 }, () => stackRegister(random)) }),
  "xmm": (random) => ({ xmm: Array.from({ length: 16 }, () => random.bytes(16)) }),
  // The masks and rounding control; no exception flag (SDM 1 10.2.3).
  "mxcsr": (random) => ({ mxcsr: random.number(16) & 0xffc0 | 0x1f80 }),
};

/** KVM_GET_FPU gives a register of x87 or SSE as KVM_SET_FPU was given it. */
export default defineCases("state/fpu", rows, (change, variation) => ({
  spec: ["KVM API 4.22: KVM_GET_FPU", "KVM API 4.23: KVM_SET_FPU"],
  mode: "long",
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const random = new Random(variation.length);
    const before = vcpu.fpu();
    for (let round = 0; round < 4; round++) {
      const registers = { ...before, ...change(random) };
      vcpu.setFpu(registers);
      assertEquals(`the registers, round ${round}`, vcpu.fpu(), registers);
    }
    vcpu.setFpu(before);
  },
  trace: `
    > set-fpu
    > set-fpu
    > set-fpu
    > set-fpu
    > set-fpu
    hlt
  `,
}));
