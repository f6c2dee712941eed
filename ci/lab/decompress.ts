import { run, type Tool, tools } from "./command.ts";
import { LabError } from "./error.ts";

interface Compression {
  readonly magic: readonly number[];
  readonly tool: Tool;
  readonly args: readonly string[];
}

const gzip = [0x1f, 0x8b];

const compressions: readonly Compression[] = [
  { magic: [0x28, 0xb5, 0x2f, 0xfd], tool: tools.zstd, args: ["-dc"] },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], tool: tools.xz, args: ["-dc"] },
  { magic: [0x5d, 0x00, 0x00], tool: tools.xz, args: ["--format=lzma", "-dc"] },
  { magic: [0x02, 0x21, 0x4c, 0x18], tool: tools.lz4, args: ["-dc"] },
  { magic: [0x42, 0x5a, 0x68], tool: tools.bzip2, args: ["-dc"] },
  { magic: [0x89, 0x4c, 0x5a, 0x4f], tool: tools.lzop, args: ["-dc"] },
];

/** Whether bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return begins(bytes, gzip);
}

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/**
 * Decompresses what gzip, xz, zstd, lz4, bzip2 or lzop made.
 *
 * @param path for messages
 * @throws {LabError} when it is compressed in another way or damaged, or when the command that its
 * compression takes is missing.
 */
export async function decompress(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  if (isGzip(bytes)) return await gunzip(path, bytes);
  const found = compressions.find(({ magic }) => begins(bytes, magic));
  if (found === undefined) {
    throw new LabError(`${path} is compressed in a way that is none of gzip, xz, zstd, lz4, ...`);
  }
  try {
    return await run(found.tool, found.args, { input: bytes });
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    throw new LabError(`${path} cannot be decompressed: ${error.message}`);
  }
}

async function gunzip(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    throw new LabError(`${path} cannot be decompressed: ${(error as Error).message}`);
  }
}
