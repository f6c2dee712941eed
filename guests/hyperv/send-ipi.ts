import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { FAST, header, identify, repetitions, words } from "./_words.ts";

interface Row {
  /** The input value. */
  input: bigint;
  /** Words in memory, of a call that is not fast. */
  memory?: readonly bigint[];
  /** RDX and R8 of a fast one. */
  fast?: readonly [bigint, bigint];
  /** XMM0 and on, in halves. */
  xmm?: readonly bigint[];
  /** The virtual processor's index, 0 unless the host changes it. */
  index?: bigint;
  /** Where the parameter is, if it is in memory; default 0xb000. */
  at?: bigint;
  status: 0 | 3;
  /** The vector that is pending then. */
  pending?: number;
}

const [SEND, SEND_EX] = [0xbn, 0x15n];
const [SPARSE, EVERY] = [0n, 1n];
const [SUCCESS, INVALID_INPUT] = [0, 3] as const;
const VECTOR = 0x71n;

const sent = { status: SUCCESS, pending: 0x71 } as const;
const notSent = { status: SUCCESS } as const;
const refused = { status: INVALID_INPUT } as const;

const rows: Record<string, Row> = {
  "memory": { input: SEND, memory: [VECTOR, 1n], ...sent },
  "memory-nobody": { input: SEND, memory: [VECTOR, 0n], ...notSent },
  "memory-another": { input: SEND, memory: [VECTOR, ~1n], ...notSent },
  "memory-index": { input: SEND, memory: [VECTOR, 0x20n], index: 5n, ...sent },
  "memory-index-another": { input: SEND, memory: [VECTOR, 0x1n], index: 5n, ...notSent },
  // The set has no word for an index above 63.
  "memory-index-above": { input: SEND, memory: [VECTOR, ~0n], index: 64n, ...notSent },
  "memory-nowhere": { input: SEND, at: 0xd0000000n, ...refused },
  "fast": { input: SEND | FAST, fast: [VECTOR, 1n], ...sent },
  "fast-nobody": { input: SEND | FAST, fast: [VECTOR, 2n], ...notSent },
  "fast-reserved": { input: SEND | FAST, fast: [VECTOR | 1n << 32n, 1n], ...refused },
  // Vectors are 0x10 to 0xff.
  "first-vector": { input: SEND, memory: [0x10n, 1n], status: SUCCESS, pending: 0x10 },
  "last-vector": { input: SEND, memory: [0xffn, 1n], status: SUCCESS, pending: 0xff },
  "vector-below": { input: SEND, memory: [0xfn, 1n], ...refused },
  "vector-above": { input: SEND, memory: [0x100n, 1n], ...refused },
  "vector-below-fast": { input: SEND | FAST, fast: [0xfn, 1n], ...refused },
  "vector-above-fast": { input: SEND | FAST, fast: [0x100n, 1n], ...refused },
  "repeated": { input: SEND | repetitions(1), memory: [VECTOR, 1n], ...refused },
  "repetition-index": { input: SEND | 1n << 48n, memory: [VECTOR, 1n], ...refused },
  "with-header": { input: SEND | header(1), memory: [VECTOR, 1n, 1n], ...refused },
  // Sets of any size: format, which words there are, and the words.
  "set": { input: SEND_EX | header(1), memory: [VECTOR, SPARSE, 1n, 1n], ...sent },
  "set-another": { input: SEND_EX | header(1), memory: [VECTOR, SPARSE, 1n, ~1n], ...notSent },
  "set-second-word": {
    input: SEND_EX | header(2),
    memory: [VECTOR, SPARSE, 3n, 0n, 8n],
    index: 67n,
    ...sent,
  },
  "set-second-word-another": {
    input: SEND_EX | header(2),
    memory: [VECTOR, SPARSE, 3n, 8n, ~8n],
    index: 67n,
    ...notSent,
  },
  // The words of the set that are not there are left out.
  "set-third-word-alone": {
    input: SEND_EX | header(1),
    memory: [VECTOR, SPARSE, 4n, 2n],
    index: 129n,
    ...sent,
  },
  "set-third-word-behind-first": {
    input: SEND_EX | header(2),
    memory: [VECTOR, SPARSE, 5n, 0n, 2n],
    index: 129n,
    ...sent,
  },
  "set-without-word": {
    input: SEND_EX | header(1),
    memory: [VECTOR, SPARSE, 2n, ~0n],
    ...notSent,
  },
  "set-empty": { input: SEND_EX, memory: [VECTOR, SPARSE, 0n], ...notSent },
  // An empty set is success, whatever the vector.
  "set-empty-vector": { input: SEND_EX, memory: [0n, SPARSE, 0n], ...notSent },
  "set-of-all": { input: SEND_EX, memory: [VECTOR, EVERY, 0n], ...sent },
  "set-of-all-vector-below": { input: SEND_EX, memory: [0xfn, EVERY, 0n], ...refused },
  "set-too-few-words": { input: SEND_EX | header(1), memory: [VECTOR, SPARSE, 3n, 1n], ...refused },
  "set-too-many-words": {
    input: SEND_EX | header(2),
    memory: [VECTOR, SPARSE, 1n, 1n, 1n],
    ...refused,
  },
  "set-of-all-too-few-words": { input: SEND_EX, memory: [VECTOR, EVERY, 1n], ...refused },
  "set-vector-below": { input: SEND_EX | header(1), memory: [0xfn, SPARSE, 1n, 1n], ...refused },
  "set-repeated": {
    input: SEND_EX | header(1) | repetitions(1),
    memory: [VECTOR, SPARSE, 1n, 1n],
    ...refused,
  },
  "set-nowhere": { input: SEND_EX | header(1), at: 0xd0000000n, ...refused },
  // The words behind the end of memory cannot be read.
  "set-words-nowhere": { input: SEND_EX | header(1), at: 0x1ffe8n, memory: [], ...refused },
  "set-fast": {
    input: SEND_EX | FAST | header(1),
    fast: [VECTOR, SPARSE],
    xmm: [1n, 1n],
    ...sent,
  },
  "set-fast-another": {
    input: SEND_EX | FAST | header(1),
    fast: [VECTOR, SPARSE],
    xmm: [1n, ~1n],
    ...notSent,
  },
  "set-fast-second-word": {
    input: SEND_EX | FAST | header(2),
    fast: [VECTOR, SPARSE],
    xmm: [3n, 0n, 8n, 0n],
    index: 67n,
    ...sent,
  },
  "set-fast-third-word": {
    input: SEND_EX | FAST | header(3),
    fast: [VECTOR, SPARSE],
    xmm: [7n, 0n, 0n, 2n],
    index: 129n,
    ...sent,
  },
  "set-fast-of-all": {
    input: SEND_EX | FAST,
    fast: [VECTOR, EVERY],
    xmm: [0n, 0n],
    ...sent,
  },
  // XMM0 to XMM5 hold the valid mask and 11 words.
  "set-fast-11-words": {
    input: SEND_EX | FAST | header(11),
    fast: [VECTOR, SPARSE],
    xmm: [0x7ffn, 1n, 0n, 0n],
    ...sent,
  },
  "set-fast-12-words": {
    input: SEND_EX | FAST | header(12),
    fast: [VECTOR, SPARSE],
    xmm: [0xfffn, 1n, 0n, 0n],
    ...refused,
  },
};

const hex = (value: bigint | number) => `0x${value.toString(16)}`;

/** HvCallSendSyntheticClusterIpi makes its vector pending at each processor of the set. */
export default defineCases("hyperv/send-ipi", byEachCall(rows), ({ row, call }) => {
  const { input, memory = [], fast, xmm, index, at = 0xb000n, status, pending } = row;
  const [rdx, r8] = fast ?? [at, 0n];
  const bits = (first: number) =>
    pending !== undefined && pending >> 5 === first ? hex((1 << (pending & 31)) >>> 0) : "0x0";
  return {
    spec: [
      "TLFS 10.5: HvCallSendSyntheticClusterIpi(Ex)",
      "TLFS 7.8.7.3: processor sets",
      "TLFS 3.7: XMM fast hypercall input",
      "KVM API 8.19: KVM_CAP_HYPERV_SEND_IPI",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, call.requires],
    machine: { cr4: { set: 0x200n } },
    registers: { rsi: 0xfee00000n },
    ...underHyperv({
      guest: asm`
        mov dword [rsi + 0xf0], 0x1ff
        ${identify}
        ${xmm ? "movups xmm0, [0xc000]\nmovups xmm1, [0xc010]" : ""}
        mov rcx, ${input}
        mov rdx, ${rdx}
        mov r8, ${r8}
        ${call.instruction}
        mov rbx, rax
        mov eax, [rsi + 0x200]
        out 0x10, eax
        mov eax, [rsi + 0x230]
        out 0x11, eax
        mov eax, [rsi + 0x270]
        out 0x12, eax
        mov eax, 0
        out 0xf4, al
      `,
      trace: `
        ${index === undefined ? "" : `> set-msrs msr.0x40000002=${hex(index)} -> 0x1`}
        pio out 0x10 u32 ${bits(0)}
        pio out 0x11 u32 ${bits(3)}
        pio out 0x12 u32 ${bits(7)}
        pio out 0xf4 u8 0x0
        = rbx ${hex(status)}
        = rcx ${hex(input)}
        = rdx ${hex(rdx)}
        = r8 ${hex(r8)}
        ${
        xmm
          ? xmm.map((_, half) =>
            `= xmm${half >> 1}.${half & 1 ? "high" : "low"} ${hex(BigInt.asUintN(64, xmm[half]))}`
          ).join("\n")
          : ""
      }
        ${xmm?.length === 2 ? "= xmm1.low 0x0\n= xmm1.high 0x0" : ""}
      `,
    }, ({ vcpu, write }) => {
      if (memory.length > 0) write(at, words(...memory.map((word) => BigInt.asUintN(64, word))));
      if (xmm) write(0xc000, words(...xmm.map((word) => BigInt.asUintN(64, word))));
      if (index !== undefined) vcpu.setMsrs([{ index: 0x40000002, data: index }]);
    }),
  };
});
