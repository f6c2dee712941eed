import { asm, defineCase } from "../../mod.ts";

/**
 * Where a slot is added, accesses stop exiting at once, and where it is deleted they exit again:
 * nothing that KVM remembers of an address outlives the change.
 */
export default defineCase({
  id: "mmio/slot-added",
  spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  registers: { rdi: 0xd0000040n, rdx: 0xd8n },
  guest: asm`
    mov [rdi], dl
    mov [rdi + 1], dl
    out 0x10, al                    ; the host adds a slot
    mov [rdi + 2], dl
    mov al, [rdi + 8]
    out 0x11, al                    ; and deletes it
    mov [rdi + 3], dl
    mov al, [rdi + 8]
    hlt
  `,
  drive({ run, vm, write, read, assertEquals }) {
    while (run().reason === "mmio");
    const memory = vm.memory.addRam(0xd0000000, 0x1000, { slot: 5 });
    write(0xd0000048, Uint8Array.of(0x77));
    run();
    assertEquals("what the guest wrote", read(0xd0000040, 9), [0, 0, 0xd8, 0, 0, 0, 0, 0, 0x77]);
    memory.bytes[0x42] = 0;
    vm.memory.setSlot({ slot: 5, guestAddress: 0xd0000000, size: 0 });
  },
  trace: `
    mmio write 0xd0000040 u8 0xd8
    mmio write 0xd0000041 u8 0xd8
    pio out 0x10 u8 0x0
    > slot 0x5 gpa=0xd0000000 size=0x1000
    pio out 0x11 u8 0x77
    > slot 0x5 gpa=0xd0000000 size=0x0
    mmio write 0xd0000043 u8 0xd8
    mmio read 0xd0000048 u8 -> 0x99
    hlt
    = rax 0x99
  `,
});
