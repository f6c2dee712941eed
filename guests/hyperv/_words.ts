/** Parameters of hypercalls as a guest lays them down. */

/** 64-bit words in a row, as bytes. */
export function words(...values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

/** A guest OS id, without which there are no hypercalls. */
export const identify = `
  mov ecx, 0x40000000
  mov eax, 1
  mov edx, 0x81000000
  wrmsr
`;

/** FAST, bit 16 of the input value: parameters are in registers. */
export const FAST = 1n << 16n;

/** How many words a header of variable size has, bits 26 to 17. */
export const header = (count: number): bigint => BigInt(count) << 17n;

/** How many repetitions there are, bits 43 to 32. */
export const repetitions = (count: number): bigint => BigInt(count) << 32n;
