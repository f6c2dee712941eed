import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** Loading a segment register sets the descriptor's accessed bit: the GDT's page is in the dirty log. */
export default defineCase({
  id: "memslot/dirty-log-descriptor",
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG", "SDM 3A 3.4.5.1: accessed bit"],
  mode: "protected",
  guest: asm`
    lgdt [table]
    mov ax, 0x10
    mov es, ax
    hlt
  table:
    dw 0x17
    dd 0x102000
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x4000);
    // A flat 32-bit code segment, and a flat data segment that nobody has loaded yet.
    memory.view.setBigUint64(0x2008, 0x00cf9b000000ffffn, true);
    memory.view.setBigUint64(0x2010, 0x00cf92000000ffffn, true);
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x4000, memory, flags });
    run();
    vm.memory.dirtyLog(1, 4);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x4000 flags=0x1
    hlt
    > dirty-log 0x1 -> [0x2]
    = rax 0x10
    = gdt.base 0x102000
    = gdt.limit 0x17
    = mem 0x102015 u8 0x93
  `,
});
