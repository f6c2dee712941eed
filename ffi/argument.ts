/**
 * Thrown when a function is given what it cannot take: a value of the wrong type, out of range or
 * not aligned. The kernel has not been asked.
 *
 * @example
 * ```ts
 * import { ArgumentError, Mapping } from "@trapline/trapline";
 *
 * try {
 *   Mapping.anonymous(100);
 * } catch (error) {
 *   console.log(error instanceof ArgumentError); // true
 * }
 * ```
 */
export class ArgumentError extends RangeError {
  /** The class's name. */
  override readonly name = "ArgumentError";
}

/** A value as a message shows it: short, whatever it is. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case "bigint":
      return `${value}n`;
    case "string":
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "an array" : "an object";
    default:
      return String(value);
  }
}

/**
 * A number that is whole and in range, as it is.
 *
 * @param what what it is, in the words of the message
 * @throws {ArgumentError} when it is not, or no number.
 */
export function integer(what: string, value: unknown, minimum: number, maximum: number): number {
  if (Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum) {
    return value as number;
  }
  throw new ArgumentError(
    `${what} is ${shown(value)}: give a whole number of ${minimum} to ${maximum}`,
  );
}

/**
 * A number of 32 bits without a sign, as it is.
 *
 * @throws {ArgumentError} when it is not.
 */
export function unsigned32(what: string, value: unknown): number {
  return integer(what, value, 0, 0xffffffff);
}

/**
 * A number or bigint of 64 bits without a sign, as a bigint.
 *
 * @throws {ArgumentError} when it is not, or a number beyond 2^53, which is not exact.
 */
export function unsigned64(what: string, value: unknown): bigint {
  if (typeof value === "bigint" && BigInt.asUintN(64, value) === value) return value;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return BigInt(value as number);
  throw new ArgumentError(
    `${what} is ${shown(value)}: give a whole number of 0 to 2^64-1, as a bigint from 2^53 on`,
  );
}

/**
 * An object, as it is.
 *
 * @throws {ArgumentError} when it is none.
 */
export function object<T>(what: string, value: T): T {
  if (typeof value === "object" && value !== null) return value;
  throw new ArgumentError(`${what} is ${shown(value)}: give an object`);
}

/**
 * An array of at most so many elements, as it is.
 *
 * @throws {ArgumentError} when it is none, or longer.
 */
export function list<T>(what: string, value: readonly T[], maximum = 0xffff): readonly T[] {
  if (!Array.isArray(value)) throw new ArgumentError(`${what} is ${shown(value)}: give an array`);
  if (value.length <= maximum) return value;
  throw new ArgumentError(`${what} has ${value.length} elements: give at most ${maximum}`);
}

/**
 * Bytes, as they are.
 *
 * @throws {ArgumentError} when the value is no Uint8Array of at least `minimum` bytes, or is detached.
 */
export function bytes(what: string, value: unknown, minimum = 0): Uint8Array<ArrayBuffer> {
  if (value instanceof Uint8Array && value.buffer instanceof ArrayBuffer) {
    if (value.byteLength >= minimum) return value as Uint8Array<ArrayBuffer>;
    throw new ArgumentError(`${what} has ${value.byteLength} bytes: give at least ${minimum}`);
  }
  throw new ArgumentError(`${what} is ${shown(value)}: give a Uint8Array`);
}

/**
 * One of the keys of a table, as it is.
 *
 * @throws {ArgumentError} when it is none, with those that there are.
 */
export function oneOf<T extends string>(
  what: string,
  value: T,
  table: Readonly<Record<T, unknown>>,
): T {
  if (typeof value === "string" && Object.hasOwn(table, value)) return value;
  const names = Object.keys(table);
  const known = names.length > 12 ? "a name of the table" : names.join(", ");
  throw new ArgumentError(`${what} is ${shown(value)}: give ${known}`);
}
