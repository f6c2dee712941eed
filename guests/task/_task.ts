/** A second task beside the one that a guest starts in. */

import { DescriptorError, type Requirement } from "../../mod.ts";

/** Where its TSS lies, and its selector. */
export const second: Readonly<Record<"address" | "selector", number>> = {
  address: 0xb000,
  selector: 0x70,
};
/** The selector of a task gate that leads there. */
export const gate = 0x78;
/** Where the first task's TSS lies. */
export const first: Readonly<Record<"address" | "selector", number>> = {
  address: 0x3000,
  selector: 0x68,
};

/** What a case that switches tasks needs. */
export const requires: readonly Requirement[] = [{
  notEmulatedBy: "qemu-tcg",
  because: "it switches tasks without the intercept, and runs on with the guest's CR3 for its own",
}];

/** The registers that the second task starts with, in the order of a TSS: EAX to EDI. */
export const registers = [
  0xa1a2a3a4,
  0xc1c2c3c4,
  0xd1d2d3d4,
  0xb1b2b3b4,
  0x7c00,
  0x51525354,
  0x61626364,
  0x71727374,
] as const;

/** A 32-bit TSS descriptor: type 9 is available, 0xb busy. */
export function descriptor32(
  { base = second.address, limit = 0x67, type = 0x9, dpl = 0, present = 1 } = {},
): bigint {
  if (limit > 0xfffff) throw new DescriptorError(`a limit of ${limit} needs granularity`);
  const [b, l] = [BigInt(base), BigInt(limit)];
  return l & 0xffffn | (b & 0xffffffn) << 16n | BigInt(type | dpl << 5 | present << 7) << 40n |
    (l >> 16n) << 48n | (b >> 24n) << 56n;
}

/** A task gate that leads to the second task. */
export function taskGate(
  { selector = second.selector, dpl = 0, present = 1 } = {},
): bigint {
  return BigInt(selector) << 16n | BigInt(0x5 | dpl << 5 | present << 7) << 40n;
}

/** The second task's TSS: all of its 104 bytes. */
export function taskState32(eip: bigint, eflags = 0x2): Uint8Array {
  const words = new Uint32Array(26);
  words[8] = Number(eip);
  words[9] = eflags;
  words.set(registers, 10);
  words.set([0x10, 0x8, 0x10, 0x10, 0x10, 0x10], 18);
  // No I/O permission bitmap: its base is behind the limit.
  words[25] = 0x680000;
  return new Uint8Array(words.buffer);
}

const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;

/** What runs with the second task's registers. */
export const secondState = `
  = rax ${hex(registers[0])}
  = rcx ${hex(registers[1])}
  = rdx ${hex(registers[2])}
  = rbx ${hex(registers[3])}
  = rsp ${hex(registers[4])}
  = rbp ${hex(registers[5])}
  = rsi ${hex(registers[6])}
  = rdi ${hex(registers[7])}
`;

/** What the first task leaves in its TSS: EIP, EFLAGS, EAX to EDI, ES to GS. */
export function saved(eip: string, eflags: number, given: readonly number[]): string {
  return `= mem ${hex(first.address + 0x20)} u32 [${eip} ${
    [eflags, ...given, 0x10, 0x8, 0x10, 0x10, 0x10, 0x10].map(hex).join(" ")
  }]`;
}
