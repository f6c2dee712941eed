import { asm, defineCase, MEMORY_READONLY } from "../../mod.ts";

/** A guest executes from a read-only slot, across its pages, and cannot change the code there. */
export default defineCase({
  id: "memslot/readonly-execute",
  spec: ["KVM API 4.35: KVM_MEM_READONLY"],
  requires: ["KVM_CAP_READONLY_MEM"],
  mode: "protected",
  guest: asm`
    call 0x100ffe
    mov bl, al
    mov byte [0x100fff], 0x22
    call 0x100ffe
    second:
    mov bh, al
    hlt
  `,
  drive({ vm }) {
    const memory = vm.memory.map(0x2000);
    // ADD AL, 0x11; RET: the first two bytes in one page, the last in the next.
    memory.bytes.set([0x04, 0x11, 0xc3], 0xffe);
    const flags = MEMORY_READONLY;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x2000, memory, flags });
  },
  trace: ({ second }) => `
    > slot 0x1 gpa=0x100000 size=0x2000 flags=0x2
    mmio write 0x100fff u8 0x22
    hlt
    = rax 0x22
    = rbx 0x2211
    = rflags 0x6
    = mem 0x7ffc u32 ${second}
  `,
});
