import { asm, defineCase } from "../../mod.ts";

/**
 * A write inside a coalesced zone does not exit and lies in the ring, in order and with its size; a
 * write that reaches beyond the zone and a read exit, and so does everything once it is released.
 */
export default defineCase({
  id: "mmio/coalesced",
  spec: ["KVM API 4.116: KVM_(UN)REGISTER_COALESCED_MMIO"],
  mode: "long",
  requires: ["KVM_CAP_COALESCED_MMIO"],
  registers: { rdi: 0xd0000100n, rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    mov [rdi + 0x10], rdx
    mov [rdi], dl
    mov [rdi], dx
    mov [rdi + 0x1c], edx
    mov [rdi + 0x1f], dl
    mov [rdi - 1], dl               ; before the zone, over its edges, behind it
    mov [rdi - 1], dx
    mov [rdi + 0x1d], edx
    mov [rdi + 0x20], dl
    mov al, [rdi]
    mov [rdi + 1], dl
    out 0x10, al                    ; the host takes what is in the ring, and releases the zone
    mov [rdi], dl
    hlt
  `,
  drive({ vm, vcpu, run, assertEquals }) {
    vm.events.coalesce({ space: "mmio", address: 0xd0000100, size: 0x20 });
    run();
    assertEquals("the ring at the first exit", vcpu.takeCoalesced(), [
      { space: "mmio", address: 0xd0000110n, size: 8, value: 0xd1d2d3d4d5d6d7d8n },
      { space: "mmio", address: 0xd0000100n, size: 1, value: 0xd8n },
      { space: "mmio", address: 0xd0000100n, size: 2, value: 0xd7d8n },
      { space: "mmio", address: 0xd000011cn, size: 4, value: 0xd5d6d7d8n },
      { space: "mmio", address: 0xd000011fn, size: 1, value: 0xd8n },
    ]);
    while (run().reason === "mmio");
    assertEquals("the ring after that", vcpu.takeCoalesced(), [
      { space: "mmio", address: 0xd0000101n, size: 1, value: 0xd8n },
    ]);
    vm.events.stopCoalescing({ space: "mmio", address: 0xd0000100, size: 0x20 });
    run();
    assertEquals("the ring in the end", vcpu.takeCoalesced(), []);
  },
  trace: `
    > coalesce mmio 0xd0000100 size=0x20
    mmio write 0xd00000ff u8 0xd8
    mmio write 0xd00000ff u16 0xd7d8
    mmio write 0xd000011d u32 0xd5d6d7d8
    mmio write 0xd0000120 u8 0xd8
    mmio read 0xd0000100 u8 -> 0x77
    pio out 0x10 u8 0x77
    > coalesce-stop mmio 0xd0000100 size=0x20
    mmio write 0xd0000100 u8 0xd8
    hlt
    = rax 0x77
  `,
});
