import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES, MEMORY_READONLY } from "../../mod.ts";

/** The dirty log of a read-only slot stays empty: what the guest tries to write does not arrive. */
export default defineCase({
  id: "memslot/readonly-log",
  spec: ["KVM API 4.35: KVM_MEM_READONLY", "KVM API 4.8: KVM_GET_DIRTY_LOG"],
  requires: ["KVM_CAP_READONLY_MEM"],
  mode: "protected",
  guest: asm`
    mov al, [0x100000]
    mov byte [0x101000], 0xa1
    inc byte [0x100000]
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x2000);
    memory.bytes[0] = 0x11;
    const flags = MEMORY_READONLY | MEMORY_LOG_DIRTY_PAGES;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x2000, memory, flags });
    run();
    run();
    vm.memory.dirtyLog(1, 2);
    run();
    vm.memory.dirtyLog(1, 2);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000 flags=0x3
    mmio write 0x101000 u8 0xa1
    mmio write 0x100000 u8 0x12
    > dirty-log 0x1 -> []
    hlt
    > dirty-log 0x1 -> []
    = rax 0x11
    = rflags 0x6
  `,
});
