import { asm, defineCase } from "../../mod.ts";

/**
 * Accesses to the same, to overlapping and to neighbouring registers come one by one in program
 * order: no store is merged, no load is answered from an earlier access.
 */
export default defineCase({
  id: "mmio/order",
  spec: ["KVM API 5: KVM_EXIT_MMIO", "SDM 3A 12.3: uncacheable memory"],
  mode: "long",
  registers: { rdi: 0xd0000040n, rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    mov [rdi], dl
    mov [rdi + 1], dl
    mov al, [rdi]
    mov [rdi], dl
    mov [rdi], rdx
    mov bl, [rdi]
    mov cl, [rdi]
    mov [rdi + 4], edx
    mov [rdi + 0x1000], al
    mov [rdi], bl
    mov [rdi + 0x1000], cl
    out 0x10, al
    mov eax, [rdi + 0x1000]
    mov ebx, [rdi]
    hlt
  `,
  trace: `
    mmio write 0xd0000040 u8 0xd8
    mmio write 0xd0000041 u8 0xd8
    mmio read 0xd0000040 u8 -> 0x1
    mmio write 0xd0000040 u8 0xd8
    mmio write 0xd0000040 u64 0xd1d2d3d4d5d6d7d8
    mmio read 0xd0000040 u8 -> 0x2
    mmio read 0xd0000040 u8 -> 0x3
    mmio write 0xd0000044 u32 0xd5d6d7d8
    mmio write 0xd0001040 u8 0x1
    mmio write 0xd0000040 u8 0x2
    mmio write 0xd0001040 u8 0x3
    pio out 0x10 u8 0x1
    mmio read 0xd0001040 u32 -> 0x44
    mmio read 0xd0000040 u32 -> 0x55
    hlt
    = rax 0x44
    = rbx 0x55
    = rcx 0x3
  `,
});
