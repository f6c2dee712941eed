import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

const LOG = MEMORY_LOG_DIRTY_PAGES;

const rows = {
  // What was written before the move is still to be fetched, and counted from the slot's start.
  "logged": {
    before: LOG,
    trace: `
      > slot 0x1 gpa=0x100000 size=0x3000 flags=0x1
      pio out 0x10 u8 0x0
      > slot 0x1 gpa=0x200000 size=0x3000 flags=0x1
      hlt
      > dirty-log 0x1 -> [0x0 0x2]
    `,
  },
  "logged-from-the-move-on": {
    before: 0,
    trace: `
      > slot 0x1 gpa=0x100000 size=0x3000
      pio out 0x10 u8 0x0
      > slot 0x1 gpa=0x200000 size=0x3000 flags=0x1
      hlt
      > dirty-log 0x1 -> [0x2]
    `,
  },
};

/** A slot that is moved goes on logging at its new place, or begins to with the same call. */
export default defineCases("memslot/dirty-log-move", rows, ({ before, trace }) => ({
  spec: [
    "KVM API 4.8: any pages dirtied since the last call to this ioctl",
    "KVM API 4.35: a slot may be moved",
  ],
  mode: "protected",
  guest: asm`
    mov byte [0x100000], 0xa1
    out 0x10, al
    mov byte [0x202000], 0xb2
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x3000);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x3000, memory };
    vm.memory.setSlot({ ...slot, flags: before });
    run();
    vm.memory.setSlot({ ...slot, guestAddress: 0x200000, flags: LOG });
    run();
    vm.memory.dirtyLog(1, 3);
  },
  trace: `
    ${trace}
    = mem 0x200000 u8 0xa1
    = mem 0x202000 u8 0xb2
  `,
}));
