/** What integer instructions do, as SDM 2's operation and flags sections say it. */

/** Operand size in bits. */
export type Size = 8 | 16 | 32 | 64;

/** CF, PF, AF, ZF, SF, OF. */
export const [CF, PF, AF, ZF, SF, OF] = [0x1n, 0x4n, 0x10n, 0x40n, 0x80n, 0x800n];
/** All of them. */
export const ALL = CF | PF | AF | ZF | SF | OF;

/** A result, the flags it sets or clears, and the flags that are undefined behind it. */
export interface Outcome {
  /** The destination, of the operand's size. */
  readonly result: bigint;
  /** The flags, all of them. */
  readonly flags: bigint;
  /** Flags of which nothing is promised. */
  readonly undefined: bigint;
}

const cut = (value: bigint, size: Size) => BigInt.asUintN(size, value);
const signed = (value: bigint, size: Size) => BigInt.asIntN(size, value);
const sign = (value: bigint, size: Size) => value >> BigInt(size - 1) & 1n;

/** PF, ZF and SF of a result. */
function resultFlags(result: bigint, size: Size): bigint {
  let parity = 1n;
  for (let bit = 0n; bit < 8n; bit++) parity ^= result >> bit & 1n;
  return (parity ? PF : 0n) | (result === 0n ? ZF : 0n) | (sign(result, size) ? SF : 0n);
}

function add(a: bigint, b: bigint, carry: bigint, size: Size): Outcome {
  const result = cut(a + b + carry, size);
  const overflow = signed(a, size) + signed(b, size) + carry !== signed(result, size);
  const flags = (a + b + carry > result ? CF : 0n) |
    ((a & 0xfn) + (b & 0xfn) + carry > 0xfn ? AF : 0n) | (overflow ? OF : 0n);
  return { result, flags: flags | resultFlags(result, size), undefined: 0n };
}

function subtract(a: bigint, b: bigint, borrow: bigint, size: Size): Outcome {
  const result = cut(a - b - borrow, size);
  const overflow = signed(a, size) - signed(b, size) - borrow !== signed(result, size);
  const flags = (a < b + borrow ? CF : 0n) |
    ((a & 0xfn) < (b & 0xfn) + borrow ? AF : 0n) | (overflow ? OF : 0n);
  return { result, flags: flags | resultFlags(result, size), undefined: 0n };
}

function logic(result: bigint, size: Size): Outcome {
  return { result, flags: resultFlags(result, size), undefined: AF };
}

/** An instruction of two operands: destination, source, flags before. */
export type Binary = (a: bigint, b: bigint, flags: bigint, size: Size) => Outcome;

/** By mnemonic; what writes no destination gives it back as it was. */
export const binary: Readonly<Record<string, Binary>> = {
  add: (a, b, _, size) => add(a, b, 0n, size),
  or: (a, b, _, size) => logic(a | b, size),
  adc: (a, b, flags, size) => add(a, b, flags & CF, size),
  sbb: (a, b, flags, size) => subtract(a, b, flags & CF, size),
  and: (a, b, _, size) => logic(a & b, size),
  sub: (a, b, _, size) => subtract(a, b, 0n, size),
  xor: (a, b, _, size) => logic(a ^ b, size),
  cmp: (a, b, _, size) => ({ ...subtract(a, b, 0n, size), result: a }),
  test: (a, b, _, size) => ({ ...logic(a & b, size), result: a }),
  mov: (_, b, flags) => ({ result: b, flags, undefined: 0n }),
};

/** An instruction of one operand. */
export type Unary = (a: bigint, flags: bigint, size: Size) => Outcome;

/** By mnemonic. */
export const unary: Readonly<Record<string, Unary>> = {
  inc: (a, flags, size) => keepCarry(add(a, 1n, 0n, size), flags),
  dec: (a, flags, size) => keepCarry(subtract(a, 1n, 0n, size), flags),
  not: (a, flags, size) => ({ result: cut(~a, size), flags, undefined: 0n }),
  neg: (a, _, size) => subtract(0n, a, 0n, size),
};

function keepCarry(outcome: Outcome, flags: bigint): Outcome {
  return { ...outcome, flags: outcome.flags & ~CF | flags & CF };
}

/** A shift or rotation by a count of 8 bits. */
export type Shift = (a: bigint, count: number, flags: bigint, size: Size) => Outcome;

const masked = (count: number, size: Size) => count & (size === 64 ? 63 : 31);

/** By mnemonic. */
export const shifts: Readonly<Record<string, Shift>> = {
  rol: (a, count, flags, size) => rotate(a, count, flags, size, (n) => n),
  ror: (a, count, flags, size) => rotate(a, count, flags, size, (n) => size - n),
  rcl: (a, count, flags, size) => throughCarry(a, count, flags, size, "left"),
  rcr: (a, count, flags, size) => throughCarry(a, count, flags, size, "right"),
  shl: (a, count, flags, size) => {
    const by = BigInt(masked(count, size));
    const result = cut(a << by, size);
    return shifted(result, cut(a << by - 1n, size), by, flags, size, () => {
      return sign(result, size) ^ sign(a << by - 1n, size);
    });
  },
  shr: (a, count, flags, size) => {
    const by = BigInt(masked(count, size));
    const lost = by === 0n ? 0n : a >> by - 1n & 1n;
    return shifted(a >> by, lost << BigInt(size - 1), by, flags, size, () => sign(a, size));
  },
  sar: (a, count, flags, size) => {
    const by = BigInt(masked(count, size));
    const lost = by === 0n ? 0n : signed(a, size) >> by - 1n & 1n;
    const result = cut(signed(a, size) >> by, size);
    const outcome = shifted(result, lost << BigInt(size - 1), by, flags, size, () => 0n);
    // The sign goes on coming out, however far it is shifted.
    return { ...outcome, undefined: outcome.undefined & ~CF };
  },
};

/** The flags of a shift, given its result and a value whose top bit was the last to go. */
function shifted(
  result: bigint,
  last: bigint,
  by: bigint,
  flags: bigint,
  size: Size,
  overflow: () => bigint,
): Outcome {
  if (by === 0n) return { result, flags, undefined: 0n };
  const carry = sign(last, size) ? CF : 0n;
  const over = overflow() & 1n ? OF : 0n;
  const far = (by > 1n ? OF : 0n) | (by >= BigInt(size) ? CF : 0n);
  return { result, flags: resultFlags(result, size) | carry | over, undefined: AF | far };
}

function rotate(
  a: bigint,
  count: number,
  flags: bigint,
  size: Size,
  leftBy: (by: number) => number,
): Outcome {
  const by = masked(count, size);
  if (by === 0) return { result: a, flags, undefined: 0n };
  const left = BigInt(leftBy(by % size) % size);
  const result = cut(a << left | a >> BigInt(size) - left, size);
  const toTheRight = leftBy(1) !== 1;
  const carry = toTheRight ? sign(result, size) : result & 1n;
  const overflow = toTheRight
    ? sign(result, size) ^ sign(result << 1n, size) & 1n
    : sign(result, size) ^ carry;
  return {
    result,
    flags: flags & ~(CF | OF) | (carry ? CF : 0n) | (overflow & 1n ? OF : 0n),
    undefined: by === 1 ? 0n : OF,
  };
}

function throughCarry(
  a: bigint,
  count: number,
  flags: bigint,
  size: Size,
  direction: "left" | "right",
): Outcome {
  const by = masked(count, size) % (size + 1);
  let [value, carry, overflow] = [a, flags & CF, 0n];
  for (let step = 0; step < by; step++) {
    if (direction === "left") {
      const out = sign(value, size);
      value = cut(value << 1n | carry, size);
      carry = out;
      overflow = sign(value, size) ^ carry;
    } else {
      overflow = sign(value, size) ^ carry;
      const out = value & 1n;
      value = value >> 1n | carry << BigInt(size - 1);
      carry = out;
    }
  }
  if (by === 0) return { result: a, flags, undefined: masked(count, size) === 0 ? 0n : OF };
  return {
    result: value,
    flags: flags & ~(CF | OF) | carry | (overflow ? OF : 0n),
    undefined: masked(count, size) === 1 ? 0n : OF,
  };
}

/** SHLD and SHRD: destination, source, count below the size, flags. */
export function doubleShift(
  direction: "left" | "right",
  a: bigint,
  b: bigint,
  count: number,
  flags: bigint,
  size: Size,
): Outcome {
  const by = BigInt(masked(count, size));
  if (by === 0n) return { result: a, flags, undefined: 0n };
  const rest = BigInt(size) - by;
  const result = direction === "left"
    ? cut(a << by | b >> rest, size)
    : cut(a >> by | b << rest, size);
  const carry = direction === "left" ? a >> rest & 1n : a >> by - 1n & 1n;
  const overflow = sign(result, size) ^ sign(a, size);
  return {
    result,
    flags: resultFlags(result, size) | (carry ? CF : 0n) | (overflow ? OF : 0n),
    undefined: AF | (by === 1n ? 0n : OF),
  };
}

/** BT, BTS, BTR and BTC of a register. */
export function bitTest(
  mnemonic: string,
  a: bigint,
  bit: bigint,
  flags: bigint,
  size: Size,
): Outcome {
  const mask = 1n << bit % BigInt(size);
  const result = { bt: a, bts: a | mask, btr: a & ~mask, btc: a ^ mask }[mnemonic]!;
  return {
    result,
    flags: flags & ZF | (a & mask ? CF : 0n),
    undefined: OF | SF | AF | PF,
  };
}
