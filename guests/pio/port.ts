import { asm, defineCases } from "../../mod.ts";

// The ends of the port space, and ports that a PC or an in-kernel device could own: without one,
// each is the host's. KVM has a special path for OUT to 0x7e.
const ports: Record<string, number> = {
  "0": 0x0,
  "20": 0x20,
  "21": 0x21,
  "40": 0x40,
  "43": 0x43,
  "60": 0x60,
  "61": 0x61,
  "70": 0x70,
  "7e": 0x7e,
  "80": 0x80,
  "a0": 0xa0,
  "ff": 0xff,
  "4d0": 0x4d0,
  "5658": 0x5658,
  "8000": 0x8000,
  "ffff": 0xffff,
};

/** A port that no in-kernel device has is the host's, to write and to read, once for each access. */
export default defineCases("pio/port", ports, (port) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 1 19.3: I/O address space"],
  mode: "long",
  registers: { rax: 0x1122334455667788n, rdx: BigInt(port) },
  guest: asm`
    out dx, al
    in al, dx
    mov bl, al
    out dx, ax
    in ax, dx
    hlt
  `,
  trace: `
    pio out 0x${port.toString(16)} u8 0x88
    pio in 0x${port.toString(16)} u8 -> 0xc3
    pio out 0x${port.toString(16)} u16 0x77c3
    pio in 0x${port.toString(16)} u16 -> 0x9e8d
    hlt
    = rax 0x1122334455669e8d
    = rbx 0xc3
  `,
}));
