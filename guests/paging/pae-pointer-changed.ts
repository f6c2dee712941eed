import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

/** The table of the four pointers of PAE paging. */
const POINTERS = 0x10000;

/** One of PAE paging's four pointers is changed: with CR3 it is loaded, and counts from then on. */
export default defineCases("paging/pae-pointer-changed", inBothWays({ loaded: {} }), ({ way }) => ({
  // Until then AMD's nested paging leaves it open which of them counts.
  spec: ["SDM 3A 4.4.1: PDPTE registers", "APM 2 15.25.10: legacy PAE mode"],
  mode: "pae",
  requires: [...way.requires, {
    notEmulatedBy: "qemu-tcg",
    because: "QEMU sets bit 5 of a pointer, which is reserved, when it walks over it",
  }],
  guest: asm`
    out 0x10, al
    mov eax, cr3
    mov cr3, eax
    mov eax, 0
    ${way.prefix}
    mov ebx, [0x4000a000]
    out 0x11, al
    hlt
  `,
  drive: ({ write, read, run, vcpu, assertEquals }) => {
    write(0xa000, Uint8Array.of(0x44, 0x33, 0x22, 0x11));
    run();
    // The second gigabyte becomes the first.
    write(POINTERS + 8, read(POINTERS, 8).slice());
    run();
    const { valid, physical_address } = vcpu.translate(0x4000a123n);
    assertEquals("translation", [valid, physical_address], [1, 0xa123n]);
  },
  trace: `
    pio out 0x10 u8 0x0
    pio out 0x11 u8 0x0
    hlt
    = rbx 0x11223344
  `,
}));
