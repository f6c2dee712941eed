import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

const rows = {
  "memory-of-their-own": 0x2000,
  // The same memory behind both: a log is of the guest addresses of its slot alone.
  "same-memory": 0,
};

/** Each slot has its own dirty log, and fetching one leaves the other, whether they share their memory or not. */
export default defineCases("memslot/dirty-log-slots", rows, (offset) => ({
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG"],
  mode: "protected",
  guest: asm`
    mov byte [0x100000], 0xa1
    mov byte [0x201002], 0xb2
    out 0x10, al
    mov byte [0x200001], 0xc3
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x4000);
    const slot = { size: 0x2000, memory, flags: MEMORY_LOG_DIRTY_PAGES };
    vm.memory.setSlot({ ...slot, slot: 1, guestAddress: 0x100000 });
    vm.memory.setSlot({ ...slot, slot: 2, guestAddress: 0x200000, offset });
    run();
    vm.memory.dirtyLog(1, 2);
    vm.memory.dirtyLog(1, 2);
    run();
    vm.memory.dirtyLog(2, 2);
    vm.memory.dirtyLog(2, 2);
    vm.memory.dirtyLog(1, 2);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000 flags=0x1
    > slot 0x2 gpa=0x200000 size=0x2000 flags=0x1
    pio out 0x10 u8 0x0
    > dirty-log 0x1 -> [0x0]
    > dirty-log 0x1 -> []
    hlt
    > dirty-log 0x2 -> [0x0 0x1]
    > dirty-log 0x2 -> []
    > dirty-log 0x1 -> []
    = mem 0x100000 u8 0xa1
    = mem 0x201002 u8 0xb2
    = mem 0x200001 u8 0xc3
  `,
}));
