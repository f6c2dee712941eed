import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

const sizes = {
  u16: { bytes: 2, b: "bx", memory: "word" },
  u32: { bytes: 4, b: "ebx", memory: "dword" },
  u64: { bytes: 8, b: "rbx", memory: "qword" },
} as const;

type Size = (typeof sizes)[keyof typeof sizes];

interface Operation {
  code: (size: Size) => string;
  /** What memory holds behind it, by what it held and what RBX holds. */
  stores: (held: bigint, source: bigint) => bigint;
  /** What RAX and RBX hold then, as wide, where they change. */
  rax?: (held: bigint) => bigint;
  rbx?: (held: bigint) => bigint;
  /** RAX before. */
  compared?: "held" | "other";
}

const operations: Record<string, Operation> = {
  add: { code: ({ b }) => `lock add [rdi], ${b}`, stores: (held, source) => held + source },
  sub: { code: ({ b }) => `lock sub [rdi], ${b}`, stores: (held, source) => held - source },
  xor: { code: ({ b }) => `lock xor [rdi], ${b}`, stores: (held, source) => held ^ source },
  not: { code: ({ memory }) => `lock not ${memory} [rdi]`, stores: (held) => ~held },
  inc: { code: ({ memory }) => `lock inc ${memory} [rdi]`, stores: (held) => held + 1n },
  xadd: {
    code: ({ b }) => `lock xadd [rdi], ${b}`,
    stores: (held, source) => held + source,
    rbx: (held) => held,
  },
  // XCHG with memory is locked with or without the prefix.
  xchg: {
    code: ({ b }) => `xchg [rdi], ${b}`,
    stores: (_held, source) => source,
    rbx: (held) => held,
  },
  "cmpxchg-equal": {
    code: ({ b }) => `lock cmpxchg [rdi], ${b}`,
    stores: (_held, source) => source,
    compared: "held",
  },
  "cmpxchg-unequal": {
    code: ({ b }) => `lock cmpxchg [rdi], ${b}`,
    stores: (held) => held,
    rax: (held) => held,
    compared: "other",
  },
};

/** Where it begins: the last byte of a page, behind which the next one's memory is elsewhere. */
const ADDRESS = 0x400fff;
const map = [
  { virtual: 0x400000, physical: 0xb000 },
  { virtual: 0x401000, physical: 0xd000 },
];

/** Where a byte is in the guest's physical memory. */
const physical = (address: number) =>
  address < 0x401000 ? address - 0x400000 + 0xb000 : address - 0x401000 + 0xd000;

interface Row extends Operation {
  size: Size;
}

const rows: Record<string, Row> = Object.fromEntries(
  Object.entries(operations).flatMap(([name, operation]) =>
    Object.entries(sizes).map(([sizeName, size]) => [`${name}-${sizeName}`, { ...operation, size }])
  ),
);

const [HELD, SOURCE, OTHER] = [0x8796a5b4c3d2e1f0n, 0x1f2e3d4c5b6a7988n, 0x0102030405060708n];
/** What lies around: no access may be wider than the operand. */
const AROUND = 0x5a;

/** A value's low bytes, in what stays of the register: 32 bits clear the upper half. */
function inRegister(before: bigint, value: bigint, { bytes }: Size): bigint {
  const low = BigInt.asUintN(8 * bytes, value);
  return bytes >= 4 ? low : before >> BigInt(8 * bytes) << BigInt(8 * bytes) | low;
}

/**
 * A locked instruction that no single exchange of the host's can carry out: it works on both pages,
 * as wide as its operand is and no wider.
 */
export default defineCases("emulate/locked-across-pages", inBothWays(rows), ({ row, way }) => {
  const { code, stores, size, compared = "other" } = row;
  const rax = compared === "held" ? HELD : OTHER;
  const held = BigInt.asUintN(8 * size.bytes, HELD);
  const after = BigInt.asUintN(8 * size.bytes, stores(held, SOURCE));
  const bytes = (value: bigint) =>
    Array.from({ length: size.bytes }, (_, n) => Number(value >> BigInt(8 * n) & 0xffn));
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  const before = [AROUND, ...bytes(HELD), AROUND];
  const behind = [AROUND, ...bytes(after), AROUND];
  return {
    spec: [
      "SDM 2A: LOCK prefix",
      "SDM 2A: ADD, CMPXCHG, INC; SDM 2B: NOT, SUB; SDM 2D: XADD, XCHG, XOR",
    ],
    mode: "long",
    requires: way.requires,
    machine: { map },
    registers: { rax, rbx: SOURCE, rdi: BigInt(ADDRESS) },
    guest: asm`
      ${way.prefix}
      ${code(size)}
      out 0xf4, al
    `,
    drive: ({ write }) =>
      before.forEach((byte, n) => write(physical(ADDRESS - 1 + n), Uint8Array.of(byte))),
    trace: `
      pio out 0xf4 u8 ${hex((row.rax ? inRegister(rax, row.rax(held), size) : rax) & 0xffn)}
      = rax ${hex(row.rax ? inRegister(rax, row.rax(held), size) : rax)}
      = rbx ${hex(row.rbx ? inRegister(SOURCE, row.rbx(held), size) : SOURCE)}
      = rflags *
      ${
      behind.map((byte, n) =>
        `= mem 0x${physical(ADDRESS - 1 + n).toString(16)} u8 0x${byte.toString(16)}`
      ).join("\n")
    }
    `,
  };
});
