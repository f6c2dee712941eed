/** The archive that the kernel unpacks as its first file system: cpio, format `newc`. */

/** A folder, a file, or a symbolic link. */
export type ArchiveEntry =
  | { readonly kind: "folder" }
  | { readonly kind: "file"; readonly bytes: Uint8Array; readonly executable?: boolean }
  | { readonly kind: "link"; readonly target: string };

const types = { folder: 0o040000, file: 0o100000, link: 0o120000 };
const TRAILER = "TRAILER!!!";

/**
 * Builds an archive in memory, piece by piece.
 *
 * A path is given without the slash at its beginning; the folders above it are added by themselves.
 */
export class Archive {
  readonly #pieces: Uint8Array[] = [];
  readonly #paths = new Set<string>();
  #inode = 0;
  #finished = false;

  /**
   * Adds an entry.
   *
   * @throws {RangeError} when the path is there, or is none.
   */
  add(path: string, entry: ArchiveEntry): void {
    if (this.#finished) throw new RangeError("the archive is finished");
    if (path === "" || path.startsWith("/") || path.split("/").includes("..")) {
      throw new RangeError(`${JSON.stringify(path)} is no path in an archive`);
    }
    if (this.#paths.has(path)) throw new RangeError(`${path} is in the archive`);
    const above = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (above !== "" && !this.#paths.has(above)) this.add(above, { kind: "folder" });
    this.#paths.add(path);
    this.#write(path, modeOf(entry), dataOf(entry));
  }

  #write(path: string, mode: number, data: Uint8Array): void {
    const name = new TextEncoder().encode(`${path}\0`);
    const links = (mode & 0o170000) === types.folder ? 2 : 1;
    const fields = [
      ++this.#inode, // inode
      mode,
      0, // user
      0, // group
      links,
      0, // time of change
      data.length,
      0, // device
      0,
      0, // device that a special file stands for
      0,
      name.length,
      0, // checksum, of another format
    ];
    const text = "070701" + fields.map((field) => field.toString(16).padStart(8, "0")).join("");
    const header = new Uint8Array(aligned(text.length + name.length));
    new TextEncoder().encodeInto(text, header);
    header.set(name, text.length);
    this.#pieces.push(header, data, new Uint8Array(aligned(data.length) - data.length));
  }

  /** The archive, in pieces: what was given is not copied. */
  finish(): readonly Uint8Array[] {
    if (!this.#finished) {
      this.#inode = -1;
      this.#write(TRAILER, 0, new Uint8Array());
      this.#finished = true;
    }
    return this.#pieces;
  }
}

function modeOf(entry: ArchiveEntry): number {
  const executable = entry.kind !== "file" || entry.executable === true;
  return types[entry.kind] | (executable ? 0o755 : 0o644);
}

function dataOf(entry: ArchiveEntry): Uint8Array {
  if (entry.kind === "file") return entry.bytes;
  return new TextEncoder().encode(entry.kind === "link" ? entry.target : "");
}

function aligned(size: number): number {
  return (size + 3) & ~3;
}
