import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { FAST, header, identify, repetitions, words } from "./_words.ts";

interface Row {
  input: bigint;
  memory?: readonly bigint[];
  /** RDX and R8 of a fast call. */
  fast?: readonly [bigint, bigint];
  /** XMM0 and on, in halves. */
  xmm?: readonly bigint[];
  at?: bigint;
  /** The result: status in bits 15 to 0, repetitions that were completed in bits 43 to 32. */
  result: bigint;
}

const [SPACE, LIST, SPACE_EX, LIST_EX] = [2n, 3n, 0x13n, 0x14n];
/** All processors, all address spaces. */
const [ALL_PROCESSORS, ALL_SPACES] = [1n, 2n];
const [SPARSE, EVERY] = [0n, 1n];
const INVALID_INPUT = 3n;
/** A page, and how many more behind it. */
const page = 0xa000n, pages = 0xa003n;

const rows: Record<string, Row> = {
  "space": { input: SPACE, memory: [0n, ALL_SPACES, 1n], result: 0n },
  "space-all": { input: SPACE, memory: [0n, ALL_PROCESSORS | ALL_SPACES, 0n], result: 0n },
  "space-another": { input: SPACE, memory: [0n, ALL_SPACES, 2n], result: 0n },
  "space-nowhere": { input: SPACE, at: 0xd0000000n, result: INVALID_INPUT },
  "space-repeated": {
    input: SPACE | repetitions(1),
    memory: [0n, ALL_SPACES, 1n],
    result: INVALID_INPUT,
  },
  "space-with-header": {
    input: SPACE | header(1),
    memory: [0n, ALL_SPACES, 1n],
    result: INVALID_INPUT,
  },
  "space-fast": { input: SPACE | FAST, fast: [0n, ALL_SPACES], xmm: [1n, 0n], result: 0n },
  "list": {
    input: LIST | repetitions(1),
    memory: [0n, ALL_SPACES, 1n, page],
    result: repetitions(1),
  },
  "list-of-many": {
    input: LIST | repetitions(20),
    memory: [0n, ALL_SPACES, 1n, ...Array<bigint>(20).fill(pages)],
    result: repetitions(20),
  },
  "list-of-all": {
    input: LIST | repetitions(2),
    memory: [0n, ALL_PROCESSORS, 0n, page, 0x800000000000n],
    result: repetitions(2),
  },
  "list-without-entries": { input: LIST, memory: [0n, ALL_SPACES, 1n], result: INVALID_INPUT },
  "list-from-the-second": {
    input: LIST | repetitions(2) | 1n << 48n,
    memory: [0n, ALL_SPACES, 1n, page, page],
    result: INVALID_INPUT,
  },
  "list-with-header": {
    input: LIST | repetitions(1) | header(1),
    memory: [0n, ALL_SPACES, 1n, page],
    result: INVALID_INPUT,
  },
  "list-nowhere": { input: LIST | repetitions(1), at: 0xd0000000n, result: INVALID_INPUT },
  // The list lies behind the end of memory.
  "list-entries-nowhere": {
    input: LIST | repetitions(1),
    at: 0x1ffe8n,
    result: INVALID_INPUT,
  },
  "list-fast": {
    input: LIST | FAST | repetitions(1),
    fast: [0n, ALL_SPACES],
    xmm: [1n, page],
    result: repetitions(1),
  },
  // XMM0 to XMM5 hold the mask and 11 entries.
  "list-fast-11": {
    input: LIST | FAST | repetitions(11),
    fast: [0n, ALL_SPACES],
    xmm: [1n, page],
    result: repetitions(11),
  },
  "list-fast-12": {
    input: LIST | FAST | repetitions(12),
    fast: [0n, ALL_SPACES],
    xmm: [1n, page],
    result: INVALID_INPUT,
  },
  "set": { input: SPACE_EX | header(1), memory: [0n, ALL_SPACES, SPARSE, 1n, 1n], result: 0n },
  "set-of-all": { input: SPACE_EX, memory: [0n, ALL_SPACES, EVERY, 0n], result: 0n },
  "set-empty": { input: SPACE_EX, memory: [0n, ALL_SPACES, SPARSE, 0n], result: 0n },
  "set-too-few-words": {
    input: SPACE_EX,
    memory: [0n, ALL_SPACES, SPARSE, 1n],
    result: INVALID_INPUT,
  },
  "set-too-many-words": {
    input: SPACE_EX | header(2),
    memory: [0n, ALL_SPACES, SPARSE, 1n, 1n, 1n],
    result: INVALID_INPUT,
  },
  "set-repeated": {
    input: SPACE_EX | header(1) | repetitions(1),
    memory: [0n, ALL_SPACES, SPARSE, 1n, 1n],
    result: INVALID_INPUT,
  },
  "set-nowhere": { input: SPACE_EX | header(1), at: 0xd0000000n, result: INVALID_INPUT },
  "set-words-nowhere": { input: SPACE_EX | header(1), at: 0x1ffe0n, result: INVALID_INPUT },
  "set-fast": {
    input: SPACE_EX | FAST | header(1),
    fast: [0n, ALL_SPACES],
    xmm: [SPARSE, 1n, 1n, 0n],
    result: 0n,
  },
  // XMM1 to XMM5 hold 10 words behind format and valid mask.
  "set-fast-10-words": {
    input: SPACE_EX | FAST | header(10),
    fast: [0n, ALL_SPACES],
    xmm: [SPARSE, 0x3ffn, 1n, 0n],
    result: 0n,
  },
  "set-fast-11-words": {
    input: SPACE_EX | FAST | header(11),
    fast: [0n, ALL_SPACES],
    xmm: [SPARSE, 0x7ffn, 1n, 0n],
    result: INVALID_INPUT,
  },
  "set-list": {
    input: LIST_EX | header(1) | repetitions(2),
    memory: [0n, ALL_SPACES, SPARSE, 1n, 1n, page, pages],
    result: repetitions(2),
  },
  "set-list-of-all": {
    input: LIST_EX | repetitions(1),
    memory: [0n, ALL_SPACES, EVERY, 0n, page],
    result: repetitions(1),
  },
  "set-list-empty": {
    input: LIST_EX | repetitions(3),
    memory: [0n, ALL_SPACES, SPARSE, 0n],
    result: repetitions(3),
  },
  "set-list-without-entries": {
    input: LIST_EX | header(1),
    memory: [0n, ALL_SPACES, SPARSE, 1n, 1n],
    result: INVALID_INPUT,
  },
  "set-list-fast": {
    input: LIST_EX | FAST | header(1) | repetitions(1),
    fast: [0n, ALL_SPACES],
    xmm: [SPARSE, 1n, 1n, page],
    result: repetitions(1),
  },
  // The words of the set come before the entries.
  "set-list-fast-too-long": {
    input: LIST_EX | FAST | header(1) | repetitions(10),
    fast: [0n, ALL_SPACES],
    xmm: [SPARSE, 1n, 1n, page],
    result: INVALID_INPUT,
  },
  "set-list-of-all-fast-too-long": {
    input: LIST_EX | FAST | header(1) | repetitions(10),
    fast: [0n, ALL_SPACES],
    xmm: [EVERY, 1n, 1n, page],
    result: INVALID_INPUT,
  },
  "set-list-fast-9": {
    input: LIST_EX | FAST | header(1) | repetitions(9),
    fast: [0n, ALL_SPACES],
    xmm: [SPARSE, 1n, 1n, page],
    result: repetitions(9),
  },
};

const hex = (value: bigint) => `0x${value.toString(16)}`;

/** Flushes of the TLB: what each form takes and refuses, and the repetitions that it completes. */
export default defineCases("hyperv/flush", byEachCall(rows), ({ row, call }) => {
  const { input, memory = [], fast, xmm, at = 0xb000n, result } = row;
  const [rdx, r8] = fast ?? [at, 0n];
  return {
    spec: [
      "TLFS 9.4: HvCallFlushVirtualAddressSpace(Ex), HvCallFlushVirtualAddressList(Ex)",
      "TLFS 3.8: hypercall inputs; 3.9: hypercall result value",
      "KVM API 8.18: KVM_CAP_HYPERV_TLBFLUSH",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, call.requires],
    machine: { cr4: { set: 0x200n } },
    ...underHyperv({
      guest: asm`
        ${identify}
        ${xmm ? "movups xmm0, [0xc000]\nmovups xmm1, [0xc010]" : ""}
        mov rcx, ${input}
        mov rdx, ${rdx}
        mov r8, ${r8}
        ${call.instruction}
        out 0xf4, al
      `,
      trace: `
        pio out 0xf4 u8 ${hex(result & 0xffn)}
        = rax ${hex(result)}
        = rcx ${hex(input)}
        = rdx ${hex(rdx)}
        = r8 ${hex(r8)}
        ${
        xmm
          ? [...xmm, 0n, 0n].slice(0, 4).map((half, number) =>
            `= xmm${number >> 1}.${number & 1 ? "high" : "low"} ${hex(half)}`
          ).join("\n")
          : ""
      }
      `,
    }, ({ write }) => {
      if (memory.length > 0) write(at, words(...memory));
      if (xmm) write(0xc000, words(...xmm));
    }),
  };
});
