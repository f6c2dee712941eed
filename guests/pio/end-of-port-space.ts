import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { port: number; access: string; trace: string }> = {
  "out-16-ffff": {
    port: 0xffff,
    access: "out dx, ax",
    trace: `
      pio out 0xffff u16 0xc7e8
      pio out 0x10 u8 0xe8
      hlt
    `,
  },
  "out-32-fffd": {
    port: 0xfffd,
    access: "out dx, eax",
    trace: `
      pio out 0xfffd u32 0x85a6c7e8
      pio out 0x10 u8 0xe8
      hlt
    `,
  },
  "in-16-ffff": {
    port: 0xffff,
    access: "in ax, dx",
    trace: `
      pio in 0xffff u16 -> 0x3b5d
      pio out 0x10 u8 0x5d
      hlt
      = rax 0x85a63b5d
    `,
  },
  "in-32-fffe": {
    port: 0xfffe,
    access: "in eax, dx",
    trace: `
      pio in 0xfffe u32 -> 0x9f3b5d71
      pio out 0x10 u8 0x71
      hlt
      = rax 0x9f3b5d71
    `,
  },
};

/**
 * An access that begins at the last ports and has bytes beyond 0xffff is one access at its first
 * port, of its whole size: an exit names the first port alone, and what a bus does with the rest is
 * the host's affair.
 */
export default defineCases("pio/end-of-port-space", rows, ({ port, access, trace }) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 1 19.3: I/O address space"],
  mode: "protected",
  registers: { rax: 0x85a6c7e8n, rdx: BigInt(port) },
  guest: asm`
    ${access}
    out 0x10, al
    hlt
  `,
  trace,
}));
