import { asm, defineCase, MEMORY_READONLY } from "../../mod.ts";

/** A read-only slot that is moved is read-only at its new place, and deleted it can come back writable. */
export default defineCase({
  id: "memslot/readonly-move",
  spec: ["KVM API 4.35: KVM_MEM_READONLY", "KVM API 4.35: a slot may be moved"],
  requires: ["KVM_CAP_READONLY_MEM"],
  mode: "protected",
  guest: asm`
    mov al, [0x100000]
    out 0x10, al
    mov al, [0x200000]
    mov byte [0x200000], 0xa1
    mov ah, [0x200000]
    mov bl, [0x100000]
    out 0x11, ax
    mov byte [0x200000], 0xb2
    mov ah, [0x200000]
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x1000);
    memory.bytes[0] = 0x11;
    const flags = MEMORY_READONLY;
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x1000, memory, flags };
    const moved = { ...slot, guestAddress: 0x200000 };
    vm.memory.setSlot(slot);
    run();
    vm.memory.setSlot(moved);
    run();
    run();
    run();
    vm.memory.setSlot({ ...moved, size: 0 });
    vm.memory.setSlot({ ...moved, flags: 0 });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000 flags=0x2
    pio out 0x10 u8 0x11
    > slot 0x1 gpa=0x200000 size=0x1000 flags=0x2
    mmio write 0x200000 u8 0xa1
    mmio read 0x100000 u8 -> 0x55
    pio out 0x11 u16 0x1111
    > slot 0x1 gpa=0x200000 size=0x0 flags=0x2
    > slot 0x1 gpa=0x200000 size=0x1000
    hlt
    = rax 0xb211
    = rbx 0x55
    = mem 0x200000 u8 0xb2
  `,
});
