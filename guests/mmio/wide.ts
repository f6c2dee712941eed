import { asm, defineCases } from "../../mod.ts";

const rows = {
  unaligned: { move: "movups", address: 0xd0000041 },
  aligned: { move: "movaps", address: 0xd0000040 },
  integer: { move: "movdqu", address: 0xd0000083 },
  "two-pages": { move: "movups", address: 0xd0000ff8 },
  "two-pages-uneven": { move: "movdqu", address: 0xd0000ffb },
} as const;

/** A 16-byte access to a device reaches it byte for byte, in as many exits as KVM likes. */
export default defineCases("mmio/wide", rows, ({ move, address }) => ({
  spec: ["KVM API 5: KVM_EXIT_MMIO", "SDM 2B: MOVUPS, MOVAPS, MOVDQU"],
  mode: "long",
  requires: [{ cpuid: "SSE2" }],
  machine: { cr4: { set: 0x200n } },
  guest: asm`
    mov ebx, ${address}
    movups xmm0, [0xa000]
    ${move} [rbx], xmm0
    ${move} xmm1, [rbx]
    movups [0xa010], xmm1
    hlt
  `,
  drive: ({ write }) => write(0xa000, Uint8Array.from({ length: 16 }, (_, index) => 0x81 + index)),
  trace: `
    mmio write 0x${
    address.toString(16)
  } u8 [0x81 0x82 0x83 0x84 0x85 0x86 0x87 0x88 0x89 0x8a 0x8b 0x8c 0x8d 0x8e 0x8f 0x90]
    mmio read 0x${
    address.toString(16)
  } u8 -> [0xf1 0xe2 0xd3 0xc4 0xb5 0xa6 0x97 0x88 0x79 0x6a 0x5b 0x4c 0x3d 0x2e 0x1f 0x10]
    hlt
    = rbx 0x${address.toString(16)}
    = xmm0.low 0x8887868584838281
    = xmm0.high 0x908f8e8d8c8b8a89
    = xmm1.low 0x8897a6b5c4d3e2f1
    = xmm1.high 0x101f2e3d4c5b6a79
    = mem 0xa010 u8 [0xf1 0xe2 0xd3 0xc4 0xb5 0xa6 0x97 0x88 0x79 0x6a 0x5b 0x4c 0x3d 0x2e 0x1f 0x10]
  `,
}));
