/**
 * C structures as data: a table of offsets and types, and the reading and writing of a `DataView` by it.
 *
 * Three rules hold for every table in this folder. Names are those of the C headers. Padding and
 * reserved bytes are not fields: {@linkcode decode} skips them and {@linkcode encode} leaves them as
 * they are. A C union has one table for each member, over the same bytes, so that a table never
 * overlaps itself and what was decoded can be encoded again.
 *
 * @module
 */
import { shown } from "../argument.ts";

/** An integer type: `u` unsigned, `s` signed (two's complement), then its width in bits. Little endian. */
export type Scalar = "u8" | "u16" | "u32" | "u64" | "s16" | "s32" | "s64";

/** One field: its offset in bytes, its type, and the dimensions of an array in the order C declares them. */
export type Field = readonly [
  offset: number,
  type: Scalar | Layout,
  ...dimensions: readonly number[],
];

/** The bytes of a structure or of an anonymous part of one. */
export interface Layout {
  /** Size in bytes, trailing padding included. */
  readonly size: number;
  /** The fields by their C names, in the order of the C declaration. */
  readonly fields: Readonly<Record<string, Field>>;
}

/** A structure that has a name in C. */
export interface Struct extends Layout {
  /** The C tag, without `struct`. */
  readonly name: string;
  /**
   * The C member that holds the fields, where the table describes one member of a union.
   * Offsets still count from the start of the structure.
   */
  readonly member?: string;
  /** The C name of the flexible array that starts where the structure ends. */
  readonly tail?: string;
}

/** The JavaScript value of one element of a field. */
export type Element<T> = T extends "u64" | "s64" ? bigint
  : T extends Scalar ? number
  : T extends Layout ? ValueOf<T>
  : never;

/** The JavaScript value of a field: an element, or arrays of it for each dimension. */
export type Dimensioned<T, D extends readonly unknown[]> = D extends
  readonly [unknown, ...infer Rest]
  ? T extends "u8" ? Rest extends readonly [] ? Uint8Array : Dimensioned<T, Rest>[]
  : Dimensioned<T, Rest>[]
  : Element<T>;

/**
 * The JavaScript value of a layout: 64-bit integers are `bigint`, smaller ones `number`, structures are
 * objects, arrays are arrays, and an array of bytes is a `Uint8Array`.
 */
export type ValueOf<L extends Layout> = {
  -readonly [K in keyof L["fields"]]: L["fields"][K] extends readonly [
    number,
    infer T,
    ...infer D extends readonly number[],
  ] ? Dimensioned<T, D>
    : never;
};

/** What cannot be written into a C structure, or read from the memory given. */
export class LayoutError extends RangeError {
  /** The class's name. */
  override name = "LayoutError";
}

/** Reads and writes one field's type at a byte offset of a view. */
interface Codec {
  read(view: DataView, offset: number): unknown;
  write(view: DataView, offset: number, value: unknown): void;
}

/** The way to the field that is being written: text only where an error needs it. */
let steps: (string | number)[] = [];

function path(): string {
  return steps.reduce<string>((text, step, index) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return index === 0 ? step : `${text}.${step}`;
  }, "");
}

/** The codec of an integer of at most 32 bits whose values lie in `minimum..maximum`. */
function numberCodec(
  type: Scalar,
  minimum: number,
  maximum: number,
  read: (view: DataView, offset: number) => number,
  write: (view: DataView, offset: number, value: number) => void,
): Codec {
  return {
    read,
    write(view, offset, value) {
      if (!Number.isInteger(value) || (value as number) < minimum || (value as number) > maximum) {
        throw new LayoutError(
          `${path()} is ${shown(value)}; ${type} takes ${minimum} to ${maximum}`,
        );
      }
      write(view, offset, value as number);
    },
  };
}

const codecs: Record<Scalar, Codec> = {
  u8: numberCodec("u8", 0, 0xff, (v, o) => v.getUint8(o), (v, o, n) => v.setUint8(o, n)),
  u16: numberCodec(
    "u16",
    0,
    0xffff,
    (v, o) => v.getUint16(o, true),
    (v, o, n) => v.setUint16(o, n, true),
  ),
  u32: numberCodec(
    "u32",
    0,
    0xffffffff,
    (v, o) => v.getUint32(o, true),
    (v, o, n) => v.setUint32(o, n, true),
  ),
  s16: numberCodec(
    "s16",
    -0x8000,
    0x7fff,
    (v, o) => v.getInt16(o, true),
    (v, o, n) => v.setInt16(o, n, true),
  ),
  s32: numberCodec(
    "s32",
    -0x80000000,
    0x7fffffff,
    (v, o) => v.getInt32(o, true),
    (v, o, n) => v.setInt32(o, n, true),
  ),
  u64: {
    read: (view, offset) => view.getBigUint64(offset, true),
    write(view, offset, value) {
      if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) {
        throw new LayoutError(`${path()} is ${shown(value)}; u64 takes a bigint of 0 to 2^64-1`);
      }
      view.setBigUint64(offset, value, true);
    },
  },
  s64: {
    read: (view, offset) => view.getBigInt64(offset, true),
    write(view, offset, value) {
      if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) {
        throw new LayoutError(
          `${path()} is ${shown(value)}; s64 takes a bigint of -2^63 to 2^63-1`,
        );
      }
      view.setBigInt64(offset, value, true);
    },
  },
};

function bytesCodec(length: number): Codec {
  return {
    read: (view, offset) => new Uint8Array(view.buffer, view.byteOffset + offset, length).slice(),
    write(view, offset, value) {
      if (!(value instanceof Uint8Array) || value.length !== length) {
        throw new LayoutError(`${path()} must be a Uint8Array of ${length} bytes`);
      }
      new Uint8Array(view.buffer, view.byteOffset + offset, length).set(value);
    },
  };
}

function arrayCodec(element: Codec, stride: number, length: number): Codec {
  return {
    read(view, offset) {
      const out = new Array(length);
      for (let i = 0; i < length; i++) out[i] = element.read(view, offset + i * stride);
      return out;
    },
    write(view, offset, value) {
      if (!Array.isArray(value) || value.length !== length) {
        throw new LayoutError(`${path()} must be an array of ${length}`);
      }
      for (let i = 0; i < length; i++) {
        steps.push(i);
        element.write(view, offset + i * stride, value[i]);
        steps.pop();
      }
    },
  };
}

/** Size in bytes of one field, array dimensions included. */
export function fieldSize([_, type, ...dimensions]: Field): number {
  const element = typeof type === "string" ? Number(type.slice(1)) / 8 : type.size;
  return dimensions.reduce((size, dimension) => size * dimension, element);
}

function fieldCodec([offset, type, ...dimensions]: Field): Codec {
  const [length, ...inner] = dimensions;
  if (length === undefined) return typeof type === "string" ? codecs[type] : layoutCodec(type);
  if (type === "u8" && inner.length === 0) return bytesCodec(length);
  const element: Field = [offset, type, ...inner];
  return arrayCodec(fieldCodec(element), fieldSize(element), length);
}

const compiled = new WeakMap<Layout, Codec>();

/** The codec of a layout, made on first use and kept: tables are shared by every call. */
function layoutCodec(layout: Layout): Codec {
  const known = compiled.get(layout);
  if (known !== undefined) return known;
  const names = Object.keys(layout.fields);
  const offsets = names.map((name) => layout.fields[name][0]);
  const members = names.map((name) => fieldCodec(layout.fields[name]));
  const codec: Codec = {
    read(view, offset) {
      const out: Record<string, unknown> = {};
      for (let i = 0; i < names.length; i++) {
        out[names[i]] = members[i].read(view, offset + offsets[i]);
      }
      return out;
    },
    write(view, offset, value) {
      if (typeof value !== "object" || value === null) {
        throw new LayoutError(`${path()} is ${shown(value)}; an object is needed`);
      }
      for (let i = 0; i < names.length; i++) {
        const name = names[i];
        steps.push(name);
        members[i].write(view, offset + offsets[i], (value as Record<string, unknown>)[name]);
        steps.pop();
      }
    },
  };
  compiled.set(layout, codec);
  return codec;
}

function titleOf(layout: Layout & Partial<Struct>): string {
  const { name = "structure", member } = layout;
  return member === undefined ? name : `${name}.${member}`;
}

function checkBounds(layout: Layout, view: DataView, offset: number): void {
  if (!(offset >= 0 && offset + layout.size <= view.byteLength)) {
    throw new LayoutError(
      `${titleOf(layout)} takes ${layout.size} bytes at offset ${offset}; ` +
        `the view has ${view.byteLength}`,
    );
  }
}

/**
 * Reads the structure that lies `offset` bytes into `view`. The result shares no memory with the view.
 *
 * @throws {LayoutError} when the structure does not lie wholly inside the view.
 * @throws {TypeError} when the view's memory was unmapped (its buffer is detached).
 *
 * @example
 * ```ts
 * import { decode } from "./layout.ts";
 * import { kvm_regs } from "./registers.ts";
 *
 * const view = new DataView(new ArrayBuffer(kvm_regs.size));
 * view.setBigUint64(kvm_regs.fields.rip[0], 0x7c00n, true);
 * console.log(decode(kvm_regs, view).rip); // 31744n
 * ```
 */
export function decode<L extends Layout>(layout: L, view: DataView, offset = 0): ValueOf<L> {
  checkBounds(layout, view, offset);
  return layoutCodec(layout).read(view, offset) as ValueOf<L>;
}

/**
 * Writes every field of the structure `offset` bytes into `view`; padding stays as it is.
 *
 * @throws {LayoutError} when the structure does not lie wholly inside the view, or a field is missing,
 * of another type, out of its type's range or of another length. Fields before it are written by then.
 * @throws {TypeError} when the view's memory was unmapped (its buffer is detached).
 *
 * @example
 * ```ts
 * import { encode } from "./layout.ts";
 * import { kvm_irq_level } from "./interrupts.ts";
 *
 * const view = new DataView(new ArrayBuffer(kvm_irq_level.size));
 * encode(kvm_irq_level, view, { irq: 4, level: 1 });
 * ```
 */
export function encode<L extends Layout>(
  layout: L,
  view: DataView,
  value: ValueOf<L>,
  offset = 0,
): void {
  checkBounds(layout, view, offset);
  steps = [titleOf(layout)];
  layoutCodec(layout).write(view, offset, value);
}
