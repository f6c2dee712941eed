/**
 * What Bochs boots from: an image of its memory, and a floppy whose boot sector enters the kernel.
 *
 * Bochs 2.7 gives guest memory blocks of 128 KiB of its own in the order in which they are touched.
 * An image that it loads goes behind the blocks in use, and only its first one is known to be where
 * the configuration says; the others come one by one with the next blocks that are touched. So the
 * image begins with blocks that may be lost to whatever the BIOS touches, the last of them marked,
 * and the boot sector touches blocks until it meets the mark, and then those that the kernel is to
 * lie in, in order.
 */
import { asm, type Assembly } from "../../src/x86/asm/assembly.ts";
import { LabError } from "./error.ts";
import type { PvhImage } from "./pvh.ts";

/** Bytes of a block that Bochs allocates. */
const BLOCK_SIZE = 0x20000;
/** How many blocks come before the kernel's. */
const PADDING = 48;
/** Where the configuration loads the image. */
export const IMAGE_ADDRESS = 0x700000;
/** Where the boot sector begins to touch blocks: behind the one that the image was loaded to. */
const FIRST_TOUCHED = 0x800000;
/** The first word of the last block of the padding. */
const MARK = 0x5453414c;

const SECTOR_SIZE = 512;
/** A disk of 1.44 MB: 80 cylinders, 2 heads, 18 sectors. */
const FLOPPY_SIZE = 80 * 2 * 18 * SECTOR_SIZE;
const BOOT_SECTOR_ADDRESS = 0x7c00;
const BOOT_SIGNATURE = 0xaa55;

/**
 * The parts of the image of memory, in order.
 *
 * @throws {LabError} when the kernel lies where the padding is searched.
 */
export function memoryImage(image: PvhImage): Uint8Array<ArrayBuffer>[] {
  if (image.address < FIRST_TOUCHED + PADDING * BLOCK_SIZE) {
    throw new LabError(
      `this lab cannot start a kernel that is linked to 0x${image.address.toString(16)}: ` +
        "build it with CONFIG_PHYSICAL_START=0x1000000",
    );
  }
  const padding = new Uint8Array(PADDING * BLOCK_SIZE);
  new DataView(padding.buffer).setUint32((PADDING - 1) * BLOCK_SIZE, MARK, true);
  const rest = -image.bytes.length & BLOCK_SIZE - 1;
  return [padding, image.bytes, new Uint8Array(rest)];
}

/** The boot program: into flat 32-bit protected mode, over the blocks, to the kernel's entry. */
export function bootProgram({ address, bytes, entry, startInfo }: PvhImage): Assembly {
  return asm`
        cli
        xor ax, ax
        mov ds, ax
        in al, 0x92             ; the A20 line, by system control port A
        or al, 2
        out 0x92, al
        lgdt [descriptors]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp dword 8:protected
    bits 32
    protected:
        mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov edi, ${FIRST_TOUCHED}
    search:
        cmp dword [edi], ${MARK}
        je found
        add edi, ${BLOCK_SIZE}
        jmp search
    found:
        mov edi, ${address}
        mov ecx, ${Math.ceil(bytes.length / BLOCK_SIZE)}
    touch:
        mov eax, [edi]
        add edi, ${BLOCK_SIZE}
        loop touch
        mov ebx, ${startInfo}
        mov eax, ${entry}
        jmp eax
    align 8
    table:
        dq 0
        dq 0x00cf9a000000ffff   ; 8: code, flat
        dq 0x00cf92000000ffff   ; 16: data, flat
    descriptors:
        dw descriptors - table - 1
        dd table
  `;
}

/** The first sector of a disk, with the boot program. */
export function bootSector(image: PvhImage): Uint8Array {
  const code = bootProgram(image).assemble({ bits: 16, origin: BOOT_SECTOR_ADDRESS }).bytes;
  const sector = new Uint8Array(SECTOR_SIZE);
  sector.set(code);
  new DataView(sector.buffer).setUint16(SECTOR_SIZE - 2, BOOT_SIGNATURE, true);
  return sector;
}

/** A floppy disk that boots. */
export function floppy(sector: Uint8Array): Uint8Array<ArrayBuffer> {
  const disk = new Uint8Array(FLOPPY_SIZE);
  disk.set(sector);
  return disk;
}
