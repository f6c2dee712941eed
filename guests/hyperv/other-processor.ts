import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { vectors } from "../apic/_local_apics.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { FAST, header, identify, words } from "./_words.ts";

interface Row {
  input: bigint;
  /** RDX and R8 of a fast call. */
  fast?: readonly [bigint, bigint];
  memory?: readonly bigint[];
  /** The two processors' indexes, where the host gives them others than 0 and 1. */
  indexes?: readonly [bigint, bigint];
  /** To which of them it goes. */
  arrives: readonly [boolean, boolean];
}

const [SEND, SEND_EX] = [0xbn, 0x15n];
const [SPARSE, EVERY] = [0n, 1n];
const VECTOR = 0x71n;
const [first, second, both, neither] = [
  [true, false],
  [false, true],
  [true, true],
  [false, false],
] as const;

const rows: Record<string, Row> = {
  "first": { input: SEND | FAST, fast: [VECTOR, 1n], arrives: first },
  "second": { input: SEND | FAST, fast: [VECTOR, 2n], arrives: second },
  "both": { input: SEND | FAST, fast: [VECTOR, 3n], arrives: both },
  "neither": { input: SEND | FAST, fast: [VECTOR, ~3n], arrives: neither },
  // A processor's index is what counts, not its place.
  "exchanged": { input: SEND | FAST, fast: [VECTOR, 1n], indexes: [1n, 0n], arrives: second },
  "last-of-word": {
    input: SEND | FAST,
    fast: [VECTOR, 1n << 63n],
    indexes: [1n, 63n],
    arrives: second,
  },
  "set-of-all": { input: SEND_EX, memory: [VECTOR, EVERY, 0n], indexes: [2n, 900n], arrives: both },
  "set-second": { input: SEND_EX | header(1), memory: [VECTOR, SPARSE, 1n, 2n], arrives: second },
  "set-two-words": {
    input: SEND_EX | header(2),
    memory: [VECTOR, SPARSE, 1n << 15n | 2n, 1n << 3n, 1n << 63n],
    indexes: [67n, 1023n],
    arrives: both,
  },
  "set-two-words-first": {
    input: SEND_EX | header(2),
    memory: [VECTOR, SPARSE, 1n << 15n | 2n, 1n << 3n, 1n << 62n],
    indexes: [67n, 1023n],
    arrives: first,
  },
};

/** HvCallSendSyntheticClusterIpi among two processors: it goes to those of the set alone. */
export default defineCases("hyperv/other-processor", byEachCall(rows), ({ row, call }) => {
  const { input, fast, memory = [], indexes, arrives } = row;
  const [rdx, r8] = (fast ?? [0xb000n, 0n]).map((word) => BigInt.asUintN(64, word));
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  return {
    spec: [
      "TLFS 10.5: HvCallSendSyntheticClusterIpi(Ex)",
      "TLFS 7.8.7.3: processor sets",
      "KVM API 8.12: KVM_CAP_HYPERV_VP_INDEX",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, call.requires],
    withoutLens: { restore: "a vCPU that the host makes beside it is not saved" },
    registers: { rsi: 0xfee00000n },
    ...underHyperv({
      guest: asm`
        mov dword [rsi + 0xf0], 0x1ff
        ${identify}
        mov rcx, ${input}
        mov rdx, ${rdx}
        mov r8, ${r8}
        ${call.instruction}
        out 0xf4, al
      `,
      trace: `
        > set-lapic
        ${
        indexes
          ? indexes.map((index) => `> set-msrs msr.0x40000002=${hex(index)} -> 0x1`).join("\n")
          : ""
      }
        pio out 0xf4 u8 0x0
        = rax 0x0
        = rcx ${hex(input)}
        = rdx ${hex(rdx)}
        = r8 ${hex(r8)}
      `,
    }, ({ vm, vcpu, run, write, assertEquals }) => {
      using other = vm.createVcpu(5);
      const page = other.lapic();
      new DataView(page.buffer).setUint32(0xf0, 0x1ff, true);
      other.setLapic(page);
      if (indexes) {
        vcpu.setMsrs([{ index: 0x40000002, data: indexes[0] }]);
        other.setMsrs([{ index: 0x40000002, data: indexes[1] }]);
      }
      write(0xb000, words(...memory));
      run();
      assertEquals(
        "what is pending",
        [vectors(vcpu, 0x200), vectors(other, 0x200)],
        arrives.map((one) => one ? [Number(VECTOR)] : []),
      );
    }),
  };
});
