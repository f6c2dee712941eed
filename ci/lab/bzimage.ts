/** A bzImage: the header of the x86 boot protocol, and the compressed kernel in it. */
import { decompress, isGzip } from "./decompress.ts";
import { LabError } from "./error.ts";
import { isElf } from "./elf.ts";

// Offsets of the setup header (Documentation/arch/x86/boot.rst).
const SETUP_SECTORS = 0x1f1;
const BOOT_FLAG = 0x1fe;
const HEADER = 0x202;
const PROTOCOL = 0x206;
const KERNEL_VERSION = 0x20e;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
/** The boot protocol, 2.08, that tells where the compressed kernel is. */
const PAYLOAD_PROTOCOL = 0x208;
const SECTOR = 512;

/** A kernel as its bzImage describes it. */
export interface BzImage {
  /** What `uname -r` will say. */
  readonly release: string;
  /** The compressed kernel, with the size that the build appends to most of them. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/**
 * Reads the header of a bzImage.
 *
 * @param path for messages
 * @throws {LabError} when the bytes are none, with what they are instead where that can be told.
 */
export function parseBzImage(path: string, bytes: Uint8Array<ArrayBuffer>): BzImage {
  if (isElf(bytes)) {
    throw new LabError(`${path} is an ELF file and no bzImage: give arch/x86/boot/bzImage`);
  }
  const wrong = (problem: string) =>
    new LabError(`${path} is no bzImage: ${problem}; give arch/x86/boot/bzImage`);
  if (bytes.length < 2 * SECTOR) throw wrong(`it has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(BOOT_FLAG, true) !== 0xaa55 || textAt(bytes, HEADER, 4) !== "HdrS") {
    throw wrong("it has no setup header");
  }
  const protocol = view.getUint16(PROTOCOL, true);
  if (protocol < PAYLOAD_PROTOCOL) {
    throw wrong(`its boot protocol is 0x${protocol.toString(16)}, not 0x208 or later`);
  }
  const start = (bytes[SETUP_SECTORS] + 1) * SECTOR + view.getUint32(PAYLOAD_OFFSET, true);
  const length = view.getUint32(PAYLOAD_LENGTH, true);
  if (start + length > bytes.length) throw wrong("it is cut off");
  const version = textAt(bytes, view.getUint16(KERNEL_VERSION, true) + SECTOR, 256);
  return {
    release: version.replace(/\0.*$/s, "").split(" ")[0],
    payload: bytes.subarray(start, start + length),
  };
}

function textAt(bytes: Uint8Array, offset: number, length: number): string {
  return new TextDecoder().decode(bytes.subarray(offset, offset + length));
}

/**
 * The kernel in a bzImage, decompressed: an ELF file.
 *
 * @param path for messages
 * @throws {LabError} when it is damaged, or the command that its compression takes is missing.
 */
export async function decompressKernel(
  path: string,
  { payload }: BzImage,
): Promise<Uint8Array<ArrayBuffer>> {
  // All compressions but gzip have the size of what they hold appended, as 32 bits.
  return await decompress(path, isGzip(payload) ? payload : payload.slice(0, -4));
}
