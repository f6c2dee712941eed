import { asm, defineCases } from "../../mod.ts";

const instructions: Record<string, string> = {
  none: "rep insw",
  ds: "db 0x3e, 0xf3, 0x6d", // ds rep insw
  fs: "db 0x64, 0xf3, 0x6d", // fs rep insw
};

/** INS stores through ES whatever segment a prefix names. */
export default defineCases("pio/ins-segment", instructions, (instruction) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2A: INS"],
  mode: "real",
  registers: { rcx: 2n, rdx: 0x1f0n, rdi: 0xa000n },
  guest: asm`
    mov ax, 0x100
    mov ds, ax
    mov ax, 0x200
    mov es, ax
    mov ax, 0x300
    mov fs, ax
    ${instruction}
    hlt
  `,
  trace: `
    pio in 0x1f0 u16 -> [0x8180 0x1213]
    hlt
    = mem 0xc000 u16 [0x8180 0x1213]
    = rax 0x300
    = rcx 0x0
    = rdi 0xa004
    = ds.selector 0x100
    = ds.base 0x1000
    = es.selector 0x200
    = es.base 0x2000
    = fs.selector 0x300
    = fs.base 0x3000
  `,
}));
