import { asm, defineCases, type ModeName } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

const names64 = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rsp",
  "rbp",
  "rsi",
  "rdi",
  ...Array.from({ length: 8 }, (_, n) => `r${n + 8}`),
];

/** What the registers hold, in the order of their numbers. */
const values = names64.map((_, number) =>
  number === 4 ? 0x8000n : 0x0123_4567_89ab_cd00n * BigInt(number + 3) + 0x11n * BigInt(number) &
    (1n << 64n) - 1n
);

interface Form {
  /** REX, address-size prefix and so on, then LEA's ModRM, SIB and displacement. */
  bytes: readonly number[];
  /** The effective address, of the address size. */
  address: (register: readonly bigint[], next: bigint) => bigint;
}

const little = (value: number) => [0, 8, 16, 24].map((by) => value >>> by & 0xff);

/** LEA RAX, with a displacement of each size over each base. */
function bases(disp: 0 | 8 | 32, count: number): Form[] {
  const [mod, bytes, displacement] = disp === 0
    ? [0, [], 0n]
    : disp === 8
    ? [1, [0x85], -0x7bn]
    : [2, little(-0x1234567), -0x1234567n];
  return Array.from({ length: count }, (_, base) => base)
    // Without a displacement numbers 5 and 13 mean something else.
    .filter((base) => !(mod === 0 && (base & 7) === 5))
    .map((base) => ({
      bytes: [
        ...(count === 16 ? [0x48 | base >> 3] : []),
        0x8d,
        mod << 6 | base & 7,
        ...((base & 7) === 4 ? [0x24] : []),
        ...bytes,
      ],
      address: (register) => register[base] + displacement,
    }));
}

/** LEA RAX, with each index times each scale over RBX, or over none. */
function indexes(base: "rbx" | "none", count: number): Form[] {
  return Array.from({ length: count }, (_, index) => index).map((index) => {
    const scale = index & 3;
    return {
      bytes: [
        ...(count === 16 ? [0x48 | index >> 3 << 1] : []),
        0x8d,
        0x04,
        scale << 6 | (index & 7) << 3 | (base === "rbx" ? 3 : 5),
        ...(base === "rbx" ? [] : little(0x76543210)),
      ],
      address: (register) =>
        // Number 4 is no index.
        (index === 4 ? 0n : register[index] << BigInt(scale)) +
        (base === "rbx" ? register[3] : 0x76543210n),
    };
  });
}

interface Row {
  mode: ModeName;
  forms: readonly Form[];
  /** An address-size prefix. */
  narrow?: boolean;
}

const rows: Record<string, Row> = {
  "base": { mode: "long", forms: bases(0, 16) },
  "base-8": { mode: "long", forms: bases(8, 16) },
  "base-32": { mode: "long", forms: bases(32, 16) },
  "index": { mode: "long", forms: indexes("rbx", 16) },
  "index-alone": { mode: "long", forms: indexes("none", 16) },
  "rip": {
    mode: "long",
    forms: [
      {
        bytes: [0x48, 0x8d, 0x05, ...little(0x12345678)],
        address: (_, next) => next + 0x12345678n,
      },
      { bytes: [0x48, 0x8d, 0x05, ...little(-0x10)], address: (_, next) => next - 0x10n },
      // REX.B does not count.
      { bytes: [0x49, 0x8d, 0x05, ...little(0x10)], address: (_, next) => next + 0x10n },
    ],
  },
  "absolute": {
    mode: "long",
    forms: [
      { bytes: [0x48, 0x8d, 0x04, 0x25, ...little(0x12345678)], address: () => 0x12345678n },
      { bytes: [0x48, 0x8d, 0x04, 0x25, ...little(-0x10)], address: () => (1n << 64n) - 0x10n },
    ],
  },
  "base-32-bit-addresses": { mode: "long", forms: bases(8, 16), narrow: true },
  "index-32-bit-addresses": { mode: "long", forms: indexes("rbx", 16), narrow: true },
  "protected-base": { mode: "protected", forms: bases(0, 8) },
  "protected-base-8": { mode: "protected", forms: bases(8, 8) },
  "protected-base-32": { mode: "protected", forms: bases(32, 8) },
  "protected-index": { mode: "protected", forms: indexes("rbx", 8) },
  "protected-index-alone": { mode: "protected", forms: indexes("none", 8) },
  "protected-absolute": {
    mode: "protected",
    forms: [{ bytes: [0x8d, 0x05, ...little(0x12345678)], address: () => 0x12345678n }],
  },
};

/** LEA by every base, every index and scale, and every displacement. */
export default defineCases("emulate/addressing", inBothWays(rows), ({ row, way }) => {
  const { mode, forms, narrow = false } = row;
  const long = mode === "long";
  const register = long ? values : values.map((value) => BigInt.asUintN(32, value));
  const size = long ? 8 : 4;
  const bytesOf = (bytes: readonly number[]) =>
    [...(narrow ? [0x67] : []), ...bytes].map((byte) => `0x${byte.toString(16)}`).join(", ");
  return {
    spec: [
      "SDM 2A 2.1.5: addressing-mode encoding, tables 2-2 and 2-3",
      "SDM 2A 2.2.1: REX prefixes; 2.2.1.6: RIP-relative addressing",
    ],
    mode,
    requires: way.requires,
    registers: Object.fromEntries(
      names64.slice(0, long ? 16 : 8).map((name, number) => [name, register[number]]),
    ),
    guest: asm`
      ${
      forms.map(({ bytes }, number) => `
        mov ${long ? "rax" : "eax"}, ${register[0]}
        ${way.prefix}
        db ${bytesOf(bytes)}
        next_${number}:
        mov [0xb000 + ${number * size}], ${long ? "rax" : "eax"}
      `).join("\n")
    }
      xor eax, eax
      hlt
    `,
    trace: (labels) => `
      hlt
      = rax 0x0
      = rflags 0x46
      = mem 0xb000 u${size * 8} [${
      forms.map(({ address }, number) => {
        const value = address(register, BigInt(labels[`next_${number}`]));
        return `0x${BigInt.asUintN(narrow || !long ? 32 : 64, value).toString(16)}`;
      }).join(" ")
    }]
    `,
  };
});
