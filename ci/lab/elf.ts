/** As much of a 64-bit little-endian ELF file as kernels and their modules take. */

/** Thrown when bytes are no such file. */
export class ElfError extends Error {
  /** The class's name. */
  override readonly name = "ElfError";
}

/** A part of the file that is loaded (PT_LOAD). */
export interface Segment {
  /** Where in memory, bytes; physical. */
  readonly address: number;
  /** The bytes of the file; the memory beyond them, up to `memorySize`, is zero. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly memorySize: number;
}

const PT_LOAD = 1;
const PT_NOTE = 4;
/** The note of Xen's that names a kernel's 32-bit PVH entry (XEN_ELFNOTE_PHYS32_ENTRY). */
const PVH_ENTRY_NOTE = 18;

/** An ELF file. */
export class Elf {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;

  /**
   * Looks at the header.
   *
   * @throws {ElfError} when it is none of a 64-bit little-endian ELF file.
   */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!isElf(bytes)) throw new ElfError("it is not an ELF file");
    if (bytes[4] !== 2 || bytes[5] !== 1) throw new ElfError("it is not a 64-bit ELF file");
  }

  /**
   * The loaded parts, in the order of the file.
   *
   * @throws {ElfError} when they lie outside the file.
   */
  segments(): Segment[] {
    return this.#headers().filter(({ type }) => type === PT_LOAD)
      .map(({ offset, address, fileSize, memorySize }) => ({
        address,
        bytes: this.#slice(offset, fileSize),
        memorySize,
      }));
  }

  /**
   * The physical address of the PVH entry; `undefined` where the kernel has none.
   *
   * @throws {ElfError} when the notes lie outside the file.
   */
  pvhEntry(): number | undefined {
    for (const { type, offset, fileSize } of this.#headers()) {
      if (type !== PT_NOTE) continue;
      const notes = this.#slice(offset, fileSize);
      const entry = findPvhEntry(new DataView(notes.buffer, notes.byteOffset, notes.byteLength));
      if (entry !== undefined) return entry;
    }
  }

  /**
   * The contents of a section; `undefined` where there is none of the name.
   *
   * @throws {ElfError} when the sections lie outside the file.
   */
  section(name: string): Uint8Array<ArrayBuffer> | undefined {
    const at = this.#number(40);
    const size = this.#view.getUint16(58, true);
    const count = this.#view.getUint16(60, true);
    const names = this.#view.getUint16(62, true);
    const header = (index: number) => {
      const start = at + index * size;
      if (start + 64 > this.#bytes.length) throw new ElfError("its sections are cut off");
      return {
        name: this.#view.getUint32(start, true),
        offset: this.#number(start + 24),
        size: this.#number(start + 32),
      };
    };
    if (count === 0) return;
    const table = header(names);
    const texts = this.#slice(table.offset, table.size);
    for (let index = 0; index < count; index++) {
      const section = header(index);
      if (textAt(texts, section.name) === name) return this.#slice(section.offset, section.size);
    }
  }

  #headers(): {
    type: number;
    offset: number;
    address: number;
    fileSize: number;
    memorySize: number;
  }[] {
    const at = this.#number(32);
    const size = this.#view.getUint16(54, true);
    const count = this.#view.getUint16(56, true);
    if (at + size * count > this.#bytes.length) throw new ElfError("its headers are cut off");
    return Array.from({ length: count }, (_, index) => {
      const start = at + index * size;
      return {
        type: this.#view.getUint32(start, true),
        offset: this.#number(start + 8),
        address: this.#number(start + 24),
        fileSize: this.#number(start + 32),
        memorySize: this.#number(start + 40),
      };
    });
  }

  #number(offset: number): number {
    if (offset + 8 > this.#bytes.length) throw new ElfError("it is cut off");
    return Number(this.#view.getBigUint64(offset, true));
  }

  #slice(offset: number, size: number): Uint8Array<ArrayBuffer> {
    if (offset + size > this.#bytes.length) throw new ElfError("it is cut off");
    return this.#bytes.subarray(offset, offset + size);
  }
}

/** Whether bytes begin as an ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 64 && textOf(bytes.subarray(0, 4)) === "\x7fELF";
}

function findPvhEntry(notes: DataView): number | undefined {
  const aligned = (size: number) => (size + 3) & ~3;
  for (let at = 0; at + 12 <= notes.byteLength;) {
    const nameSize = notes.getUint32(at, true);
    const size = notes.getUint32(at + 4, true);
    const type = notes.getUint32(at + 8, true);
    const value = at + 12 + aligned(nameSize);
    if (value + size > notes.byteLength) throw new ElfError("its notes are cut off");
    const name = new Uint8Array(notes.buffer, notes.byteOffset + at + 12, nameSize);
    if (type === PVH_ENTRY_NOTE && textOf(name) === "Xen\0") return notes.getUint32(value, true);
    at = value + aligned(size);
  }
}

function textAt(bytes: Uint8Array, offset: number): string {
  return textOf(bytes.subarray(offset, bytes.indexOf(0, offset)));
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
