import { asm, defineCases } from "../../mod.ts";

const rows = {
  "4-gib": 0x100000000n,
  "above-4-gib": 0x1d0000000n,
  "32-bits-repeated": 0xd_d000_0000n,
  "36-bits": 0xf_ffff_f000n,
};

/** A physical address above 4 GiB reaches the host whole, for a write and for a read. */
export default defineCases("mmio/high-address", rows, (physical) => ({
  spec: ["KVM API 5: KVM_EXIT_MMIO (phys_addr, 64 bits)", "SDM 3A 4.1.4: MAXPHYADDR"],
  mode: "long",
  machine: { map: [{ virtual: 0x40000000, physical }] },
  registers: { rdi: 0x40000ff0n, rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    mov [rdi], rdx
    mov edx, [rdi + 8]
    hlt
  `,
  trace: `
    mmio write 0x${(physical + 0xff0n).toString(16)} u64 0xd1d2d3d4d5d6d7d8
    mmio read 0x${(physical + 0xff8n).toString(16)} u32 -> 0x9abcdef1
    hlt
    = rdx 0x9abcdef1
  `,
}));
