import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** A slot that is deleted and made again begins with an empty dirty log of its new size. */
export default defineCase({
  id: "memslot/dirty-log-recreate",
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG", "KVM API 4.35: KVM_SET_USER_MEMORY_REGION"],
  mode: "protected",
  guest: asm`
    mov byte [0x100000], 0xa1
    mov byte [0x101000], 0xa2
    out 0x10, al
    mov byte [0x140fff], 0xa3
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x41000);
    const flags = MEMORY_LOG_DIRTY_PAGES;
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x2000, memory, flags };
    vm.memory.setSlot(slot);
    run();
    vm.memory.setSlot({ ...slot, size: 0 });
    vm.memory.setSlot({ ...slot, size: 0x41000 });
    vm.memory.dirtyLog(1, 65);
    run();
    vm.memory.dirtyLog(1, 65);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000 flags=0x1
    pio out 0x10 u8 0x0
    > slot 0x1 gpa=0x100000 size=0x0 flags=0x1
    > slot 0x1 gpa=0x100000 size=0x41000 flags=0x1
    > dirty-log 0x1 -> []
    hlt
    > dirty-log 0x1 -> [0x40]
    = mem 0x100000 u8 0xa1
    = mem 0x101000 u8 0xa2
    = mem 0x140fff u8 0xa3
  `,
});
