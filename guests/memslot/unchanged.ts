import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** Setting a slot to what it already is succeeds and changes nothing, its dirty log included. */
export default defineCase({
  id: "memslot/unchanged",
  spec: [
    "KVM API 4.35: KVM_SET_USER_MEMORY_REGION",
    "virt/kvm/kvm_main.c: __kvm_set_memory_region, nothing to change (6.1, 6.12)",
  ],
  mode: "protected",
  guest: asm`
    mov byte [0x101fff], 0xa1
    out 0x10, al
    mov al, [0x101fff]
    mov ah, [0x100000]
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x3000);
    memory.bytes[0] = 0xb2;
    const flags = MEMORY_LOG_DIRTY_PAGES;
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x3000, memory, flags };
    vm.memory.setSlot(slot);
    run();
    vm.memory.setSlot(slot);
    vm.memory.dirtyLog(1, 3);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x3000 flags=0x1
    pio out 0x10 u8 0x0
    > slot 0x1 gpa=0x100000 size=0x3000 flags=0x1
    > dirty-log 0x1 -> [0x1]
    hlt
    = rax 0xb2a1
    = mem 0x101fff u8 0xa1
  `,
});
