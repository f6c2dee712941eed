import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, ModeName> = { protected: "protected", long: "long" };

/** With IOPL 3 every port is allowed at CPL 3, though the I/O permission bitmap denies each. */
export default defineCases("pio/io-privilege-level-3", modes, (mode) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 1 19.5.1: I/O privilege level"],
  mode,
  machine: { privilege: 3, ioPorts: [], rflags: { set: 0x3000n } },
  registers: { rax: 0x85a6c7e8n, rdx: 0x1f0n, rsi: 0xb000n, rdi: 0xa000n },
  guest: asm`
    out dx, eax
    in ax, 0x10
    outsb
    insb
    out 0xf4, ax
  `,
  drive: ({ write }) => write(0xb000, Uint8Array.of(0x81)),
  trace: `
    pio out 0x1f0 u32 0x85a6c7e8
    pio in 0x10 u16 -> 0x9f3b
    pio out 0x1f0 u8 0x81
    pio in 0x1f0 u8 -> 0x60
    pio out 0xf4 u16 0x9f3b
    = rax 0x85a69f3b
    = rsi 0xb001
    = rdi 0xa001
    = mem 0xa000 u8 0x60
  `,
}));
