import { asm, defineCases } from "../../mod.ts";

const rows = {
  "local-apic": 0xfee00000n,
  "io-apic": 0xfec00000n,
  "reset-vector": 0xfffffff0n,
};

/** Without an in-kernel interrupt controller its addresses are a device of the host's like any. */
export default defineCases("mmio/apic-page", rows, (address) => ({
  spec: ["KVM API 4.24: KVM_CREATE_IRQCHIP", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  registers: { rdi: address, rdx: 0xd5d6d7d8n },
  guest: asm`
    mov [rdi], edx
    mov edx, [rdi]
    xchg [rdi], edx
    hlt
  `,
  trace: `
    mmio write 0x${address.toString(16)} u32 0xd5d6d7d8
    mmio read 0x${address.toString(16)} u32 -> 0x9abcdef1
    mmio read 0x${address.toString(16)} u32 -> 0x11223344
    mmio write 0x${address.toString(16)} u32 0x9abcdef1
    hlt
    = rdx 0x11223344
  `,
}));
