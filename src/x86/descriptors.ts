/** Descriptors as the processor reads them (SDM 3A 3.4.5, 3.5, 6.11, 6.14.1), to and from bits. */

import type { Segment } from "./registers.ts";

/** A descriptor's field does not fit, or descriptor and selector contradict each other. */
export class DescriptorError extends Error {
  /** The class's name. */
  override readonly name = "DescriptorError";
}

/** What a segment or system descriptor holds; {@linkcode Segment} without the register's part. */
export type DescriptorFields = Omit<Segment, "selector" | "unusable">;

/** Type field of a system descriptor (SDM 3A table 3-2). */
export const systemType = {
  tss16: 0x1,
  ldt: 0x2,
  tss16Busy: 0x3,
  callGate16: 0x4,
  taskGate: 0x5,
  interruptGate16: 0x6,
  trapGate16: 0x7,
  tss32: 0x9,
  tss32Busy: 0xb,
  callGate32: 0xc,
  interruptGate32: 0xe,
  trapGate32: 0xf,
} as const;

/** A call, task, interrupt or trap gate. */
export interface Gate {
  /** Type field, one of {@linkcode systemType}'s gates. */
  readonly type: number;
  /** Code segment selector, or the TSS's for a task gate. */
  readonly selector: number;
  /** Entry point within the segment: 16, 32 or 64 bits as the gate's form has room for. */
  readonly offset: bigint;
  /** Privilege a software interrupt or call needs, 0 to 3. */
  readonly dpl: number;
  /** P: 1 when the gate is present. */
  readonly present: number;
  /** Interrupt stack table index, 0 (none) to 7; 64-bit gates only. */
  readonly ist?: number;
  /** Count of parameters a legacy call gate copies, 0 to 31. */
  readonly parameters?: number;
}

function field(name: string, value: number | bigint, bits: number): bigint {
  const whole = typeof value === "bigint" || Number.isInteger(value);
  if (!whole || value < 0 || BigInt(value) >> BigInt(bits) !== 0n) {
    const given = whole ? `0x${value.toString(16).replace("-", "-0x")}` : String(value);
    throw new DescriptorError(
      `descriptor field ${name} is ${given}; give an integer of ${bits} bits`,
    );
  }
  return BigInt(value);
}

function access(fields: Pick<Segment, "type" | "s" | "dpl" | "present">): bigint {
  return field("type", fields.type, 4) | field("s", fields.s, 1) << 4n |
    field("dpl", fields.dpl, 2) << 5n | field("present", fields.present, 1) << 7n;
}

function segmentBits(fields: DescriptorFields, base: bigint): bigint {
  const g = field("g", fields.g, 1);
  let limit = field("limit", fields.limit, 32);
  if (g) {
    if ((limit & 0xfffn) !== 0xfffn) {
      throw new DescriptorError(
        `limit 0x${
          limit.toString(16)
        } is not the last byte of a 4 KiB unit; end it in 0xfff or set g to 0`,
      );
    }
    limit >>= 12n;
  } else field("limit (with g = 0)", limit, 20);
  const flags = field("avl", fields.avl, 1) | field("l", fields.l, 1) << 1n |
    field("db", fields.db, 1) << 2n | g << 3n;
  return (limit & 0xffffn) | (base & 0xffffffn) << 16n | access(fields) << 40n |
    (limit >> 16n) << 48n | flags << 52n | (base >> 24n & 0xffn) << 56n;
}

/**
 * Encodes an 8-byte code, data or 32-bit system descriptor (SDM 3A 3.4.5). The limit is in bytes,
 * as in `struct kvm_segment`.
 *
 * @throws {DescriptorError} when a field has more bits than the descriptor gives it, or the limit
 * cannot be expressed in 4 KiB units although `g` is 1.
 *
 * @example
 * ```ts
 * import { encodeSegmentDescriptor } from "./descriptors.ts";
 *
 * const code32 = encodeSegmentDescriptor({
 *   base: 0n, limit: 0xffffffff, type: 0xa, s: 1, dpl: 0, present: 1, avl: 0, l: 0, db: 1, g: 1,
 * });
 * console.log(code32 === 0x00cf9a000000ffffn); // true
 * ```
 */
export function encodeSegmentDescriptor(fields: DescriptorFields): bigint {
  return segmentBits(fields, field("base", fields.base, 32));
}

/**
 * Encodes a 16-byte TSS or LDT descriptor of IA-32e mode (SDM 3A 8.2.3): low and high 8 bytes.
 *
 * @throws {DescriptorError} when a field does not fit, or `s` is 1.
 */
export function encodeSystemDescriptor64(fields: DescriptorFields): [bigint, bigint] {
  field("s (of a system descriptor)", fields.s, 0);
  const base = field("base", fields.base, 64);
  return [segmentBits(fields, base), base >> 32n];
}

function gateBits(gate: Gate, offset: bigint, byte4: bigint): bigint {
  return (offset & 0xffffn) | field("selector", gate.selector, 16) << 16n | byte4 << 32n |
    access({ ...gate, s: 0 }) << 40n | (offset >> 16n & 0xffffn) << 48n;
}

/**
 * Encodes an 8-byte gate of legacy protected mode (SDM 3A 5.8.3 and 6.11).
 *
 * @throws {DescriptorError} when a field does not fit, the offset does not fit the gate's 16 or 32
 * bits, or `ist` is given.
 */
export function encodeGate(gate: Gate): bigint {
  if (gate.ist) {
    throw new DescriptorError(`IST ${gate.ist} in an 8-byte gate; only 64-bit gates have an IST`);
  }
  const offset = field("offset", gate.offset, gate.type & 8 ? 32 : 16);
  return gateBits(gate, offset, field("parameters", gate.parameters ?? 0, 5));
}

/**
 * Encodes a 16-byte gate of IA-32e mode (SDM 3A 6.14.1): low and high 8 bytes.
 *
 * @throws {DescriptorError} when a field does not fit or `parameters` is given.
 */
export function encodeGate64(gate: Gate): [bigint, bigint] {
  field("parameters (of a 64-bit gate)", gate.parameters ?? 0, 0);
  const offset = field("offset", gate.offset, 64);
  return [gateBits(gate, offset, field("ist", gate.ist ?? 0, 3)), offset >> 32n];
}

/**
 * The segment register that loading `selector` gives when it names this descriptor: the inverse of
 * {@linkcode encodeSegmentDescriptor}, and of {@linkcode encodeSystemDescriptor64} when `high` is
 * given.
 *
 * @throws {DescriptorError} when `selector` is not 16 bits or a descriptor half is not 64 bits.
 */
export function decodeSegmentDescriptor(low: bigint, selector: number, high?: bigint): Segment {
  field("selector", selector, 16);
  field("low half", low, 64);
  const bit = (at: bigint) => Number(low >> at & 1n);
  const upper = high === undefined ? 0n : field("high half", high, 64) & 0xffffffffn;
  const g = bit(55n);
  const limit = Number((low & 0xffffn) | (low >> 48n & 0xfn) << 16n);
  return Object.freeze({
    base: (low >> 16n & 0xffffffn) | (low >> 56n & 0xffn) << 24n | upper << 32n,
    limit: g ? limit * 0x1000 + 0xfff : limit,
    selector,
    type: Number(low >> 40n & 0xfn),
    present: bit(47n),
    dpl: Number(low >> 45n & 3n),
    db: bit(54n),
    s: bit(44n),
    l: bit(53n),
    g,
    avl: bit(52n),
    unusable: 0,
  });
}

/**
 * A segment register of real mode: base = selector << 4, limit 0xffff, accessed writable data or
 * accessed readable code (SDM 3B 21.1.1). These are also the values that KVM on VMX can run in
 * virtual-8086 mode where the processor has no unrestricted guest.
 *
 * @throws {DescriptorError} when `selector` is not 16 bits.
 */
export function realModeSegment(selector: number, kind: "code" | "data"): Segment {
  field("selector", selector, 16);
  return Object.freeze({
    base: BigInt(selector << 4),
    limit: 0xffff,
    selector,
    type: kind === "code" ? 0xb : 0x3,
    present: 1,
    dpl: 0,
    db: 0,
    s: 1,
    l: 0,
    g: 0,
    avl: 0,
    unusable: 0,
  });
}

/** A segment register after a null selector was loaded; as LDTR, no local descriptor table. */
export const unusableSegment: Segment = Object.freeze({
  base: 0n,
  limit: 0,
  selector: 0,
  type: 0,
  present: 0,
  dpl: 0,
  db: 0,
  s: 0,
  l: 0,
  g: 0,
  avl: 0,
  unusable: 1,
});
