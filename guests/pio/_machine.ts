/** What the cases of port I/O start with in common. */

import type { ModeName } from "../../mod.ts";

/** CF, PF, AF, ZF, SF and OF: port I/O changes none of them. */
export const ARITHMETIC_FLAGS = 0x8d5n;
/** DF: string instructions go down. */
export const DIRECTION_FLAG = 0x400n;

/** The modes in which the tables of sizes and forms are run. */
export type PortMode = Extract<ModeName, "real" | "protected" | "long">;

/** RAX before an access: every byte different, as wide as the mode shows registers. */
export const accumulator: Readonly<Record<PortMode, bigint>> = {
  real: 0x85a6c7e8n,
  protected: 0x85a6c7e8n,
  long: 0x1122334485a6c7e8n,
};

/** RDX with a port in DX and ones above it, which are no part of the port. */
export function portRegister(mode: PortMode, port: number): bigint {
  return (mode === "long" ? 0xfffffffffff00000n : 0xfff00000n) | BigInt(port);
}

/** Numbers as the elements of a list in a trace. */
export function list(values: readonly (number | bigint)[]): string {
  return `[${values.map((value) => `0x${value.toString(16)}`).join(" ")}]`;
}
