import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** Logging that is switched on later knows what is written from then on; switched off and on again it is empty. */
export default defineCase({
  id: "memslot/dirty-log-switch",
  spec: ["KVM API 4.35: KVM_MEM_LOG_DIRTY_PAGES", "KVM API 4.8: KVM_GET_DIRTY_LOG"],
  mode: "protected",
  // Each round writes to another page, and in the end to all of them.
  guest: asm`
    mov byte [0x100000], 0xa1
    out 0x10, al
    mov byte [0x101000], 0xa2
    out 0x11, al
    mov byte [0x102000], 0xa3
    out 0x12, al
    mov byte [0x103000], 0xa4
    mov byte [0x100001], 0xb1
    mov byte [0x102001], 0xb3
    out 0x13, al
    mov byte [0x100002], 0xc1
    hlt
  `,
  drive({ vm, run, attempt }) {
    const memory = vm.memory.map(0x4000);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x4000, memory };
    const logged = { ...slot, flags: MEMORY_LOG_DIRTY_PAGES };
    vm.memory.setSlot(slot);
    attempt(() => vm.memory.dirtyLog(1, 4));
    run();
    vm.memory.setSlot(logged);
    vm.memory.dirtyLog(1, 4);
    run();
    vm.memory.setSlot(slot);
    attempt(() => vm.memory.dirtyLog(1, 4));
    run();
    vm.memory.setSlot(logged);
    vm.memory.dirtyLog(1, 4);
    run();
    vm.memory.dirtyLog(1, 4);
    vm.memory.setSlot(slot);
    run();
    vm.memory.setSlot(logged);
    vm.memory.dirtyLog(1, 4);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x4000
    > dirty-log 0x1 -> ENOENT
    pio out 0x10 u8 0x0
    > slot 0x1 gpa=0x100000 size=0x4000 flags=0x1
    > dirty-log 0x1 -> []
    pio out 0x11 u8 0x0
    > slot 0x1 gpa=0x100000 size=0x4000
    > dirty-log 0x1 -> ENOENT
    pio out 0x12 u8 0x0
    > slot 0x1 gpa=0x100000 size=0x4000 flags=0x1
    > dirty-log 0x1 -> []
    pio out 0x13 u8 0x0
    > dirty-log 0x1 -> [0x0 0x2 0x3]
    > slot 0x1 gpa=0x100000 size=0x4000
    hlt
    > slot 0x1 gpa=0x100000 size=0x4000 flags=0x1
    > dirty-log 0x1 -> []
    = mem 0x100000 u8 [0xa1 0xb1 0xc1]
    = mem 0x101000 u8 0xa2
    = mem 0x102000 u8 [0xa3 0xb3]
    = mem 0x103000 u8 0xa4
  `,
});
