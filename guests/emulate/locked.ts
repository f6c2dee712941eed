import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { register, sizes } from "./_checks.ts";
import { binary, bitTest, type Outcome, type Size, unary } from "./_model.ts";

/** One instruction with a LOCK prefix, whose destination is memory at RSI. */
interface Locked {
  text: string;
  size: Size;
  /** Memory before. */
  memory: bigint;
  outcome: Outcome;
  /** What the source register holds behind it, of the operand's size; as before unless given. */
  source?: bigint;
  /** What the accumulator holds behind it, likewise. */
  accumulator?: bigint;
}

const SOURCE = 0x1a2b5f4e11a2b444n;
const FLAGS = 0x8d5n;
/** RAX: the accumulator of CMPXCHG, and the number of a bit. */
const RAX = 9n;

const cut = (value: bigint, size: Size) => BigInt.asUintN(size, value);
const word = { 8: "byte", 16: "word", 32: "dword", 64: "qword" } as const;

/** Memory before, by size. */
const before = (size: Size) => cut(0xfeeddccb9a78569cn, size);

function each(one: (size: Size) => Locked[], of: readonly Size[] = sizes): Locked[] {
  return of.flatMap(one);
}

const rows: Record<string, Locked[]> = {};
for (const name of ["add", "or", "adc", "sbb", "and", "sub", "xor"]) {
  rows[name] = each((size) => [
    {
      text: `${name} [rsi], ${register("d", size)}`,
      size,
      memory: before(size),
      outcome: binary[name](before(size), cut(SOURCE, size), FLAGS, size),
    },
    {
      text: `${name} ${word[size]} [rsi], -0x7e`,
      size,
      memory: before(size),
      outcome: binary[name](before(size), cut(-0x7en, size), FLAGS, size),
    },
    {
      text: `${name} ${word[size]} [rsi], 0x5a${size === 8 ? "" : "5b"}`,
      size,
      memory: before(size),
      outcome: binary[name](before(size), size === 8 ? 0x5an : 0x5a5bn, FLAGS, size),
    },
  ]);
}
for (const name of ["inc", "dec", "not", "neg"]) {
  rows[name] = each((size) => [{
    text: `${name} ${word[size]} [rsi]`,
    size,
    memory: before(size),
    outcome: unary[name](before(size), FLAGS, size),
  }]);
}
const bits: readonly Size[] = [16, 32, 64];
for (const name of ["bts", "btr", "btc"]) {
  rows[name] = each((size) => {
    const bit = cut(SOURCE, size) % BigInt(size);
    return [
      {
        text: `${name} ${word[size]} [rsi], ${register("a", size)}`,
        size,
        memory: before(size),
        outcome: bitTest(name, before(size), RAX, FLAGS, size),
      },
      {
        text: `${name} ${word[size]} [rsi], ${bit}`,
        size,
        memory: before(size),
        outcome: bitTest(name, before(size), bit, FLAGS, size),
      },
    ];
  }, bits);
}
rows.xchg = each((size) => [{
  text: `xchg [rsi], ${register("d", size)}`,
  size,
  memory: before(size),
  outcome: { result: cut(SOURCE, size), flags: FLAGS, undefined: 0n },
  source: before(size),
}]);
rows.xadd = each((size) => [{
  text: `xadd [rsi], ${register("d", size)}`,
  size,
  memory: before(size),
  outcome: binary.add(before(size), cut(SOURCE, size), FLAGS, size),
  source: before(size),
}]);
rows["cmpxchg-equal"] = each((size) => [{
  text: `cmpxchg [rsi], ${register("d", size)}`,
  size,
  memory: RAX,
  outcome: {
    result: cut(SOURCE, size),
    flags: binary.cmp(RAX, RAX, FLAGS, size).flags,
    undefined: 0n,
  },
}]);
rows["cmpxchg-unequal"] = each((size) => [{
  text: `cmpxchg [rsi], ${register("d", size)}`,
  size,
  memory: before(size),
  outcome: {
    result: before(size),
    flags: binary.cmp(RAX, before(size), FLAGS, size).flags,
    undefined: 0n,
  },
  accumulator: before(size),
}]);

const hex = (value: bigint) => `0x${value.toString(16)}`;
/** What is left of a register of which the lower part was written. */
const left = (old: bigint, value: bigint | undefined, size: Size) =>
  value === undefined ? old : size >= 32 ? value : old >> BigInt(size) << BigInt(size) | value;

/** What may be locked reads and writes memory as it does without, and sets the same flags. */
export default defineCases("emulate/locked", inBothWays(rows), ({ row, way }) => ({
  spec: ["SDM 2A: LOCK", "SDM 2: each instruction's operation and flags affected"],
  mode: "long",
  requires: way.requires,
  registers: { rsi: 0xa000n, rdi: 0xb000n },
  guest: asm`
    ${
    row.map(({ text, memory }) => `
      mov rax, ${memory}
      mov [rsi], rax
      push ${FLAGS | 2n}
      popfq
      mov rdx, ${SOURCE}
      mov eax, ${RAX}
      ${way.prefix}
      lock ${text}
      pushfq
      mov [rdi], rdx
      mov [rdi + 8], rax
      pop qword [rdi + 16]
      mov rax, [rsi]
      mov [rdi + 24], rax
      add rdi, 32
    `).join("\n")
  }
    mov qword [rsi], 0
    mov qword [0x7ff8], 0
    xor eax, eax
    xor edx, edx
    mov edi, 0xb000
    hlt
  `,
  trace: `
    hlt
    = rflags 0x46
    = mem 0xb000 u64 [${
    row.flatMap(({ size, memory, outcome, source, accumulator }) => [
      hex(left(SOURCE, source, size)),
      hex(left(RAX, accumulator, size)),
      flagsOf(outcome),
      // What lies beside the operand stays: it was 0.
      hex(memory >> BigInt(size) << BigInt(size) | outcome.result),
    ]).join(" ")
  }]
  `,
}));

/** The flags, with every value that undefined ones may have. */
function flagsOf({ flags, undefined: open }: Outcome): string {
  let values = [flags & ~open | 2n];
  for (let bit = 1n; bit <= open; bit <<= 1n) {
    if (open & bit) values = values.flatMap((value) => [value, value | bit]);
  }
  return values.map(hex).join("|");
}
