/** Small ELF files for tests of what reads them. */

/** A part that is loaded. */
export interface ElfSegment {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly memorySize: number;
}

const HEADER = 64;
const PROGRAM_HEADER = 56;

/** A 64-bit ELF file of these parts, with Xen's note of a PVH entry if there is to be one. */
export function elfFile(
  segments: readonly ElfSegment[],
  { pvhEntry }: { pvhEntry?: number } = {},
): Uint8Array<ArrayBuffer> {
  const parts = segments.map((segment) => ({ type: 1, ...segment }));
  if (pvhEntry !== undefined) {
    const bytes = new Uint8Array(24);
    const view = new DataView(bytes.buffer);
    [4, 8, 18].forEach((value, index) => view.setUint32(4 * index, value, true));
    bytes.set(new TextEncoder().encode("Xen\0"), 12);
    view.setBigUint64(16, BigInt(pvhEntry), true);
    parts.push({ type: 4, address: 0, bytes, memorySize: bytes.length });
  }
  const start = HEADER + PROGRAM_HEADER * parts.length;
  const file = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes.length, start));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setBigUint64(32, BigInt(HEADER), true);
  view.setUint16(54, PROGRAM_HEADER, true);
  view.setUint16(56, parts.length, true);
  let offset = start;
  parts.forEach(({ type, address, bytes, memorySize }, index) => {
    const at = HEADER + PROGRAM_HEADER * index;
    view.setUint32(at, type, true);
    const values = [offset, address, address, bytes.length, memorySize];
    values.forEach((value, number) => view.setBigUint64(at + 8 + 8 * number, BigInt(value), true));
    file.set(bytes, offset);
    offset += bytes.length;
  });
  return file;
}
