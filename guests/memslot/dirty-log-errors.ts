import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** A dirty log is had of a slot that exists and keeps one: ENOENT of another, EINVAL of a number too high. */
export default defineCase({
  id: "memslot/dirty-log-errors",
  spec: [
    "KVM API 4.8: KVM_GET_DIRTY_LOG",
    "virt/kvm/kvm_main.c: kvm_get_dirty_log_protect (6.1, 6.12), as the document names no errno",
  ],
  mode: "protected",
  guest: asm`
    mov byte [0x100000], 0xa1
    mov byte [0x200000], 0xa2
    hlt
  `,
  drive({ vm, run, attempt }) {
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.addRam(0x100000, 0x1000, { slot: 1, flags });
    vm.memory.addRam(0x200000, 0x1000, { slot: 2 });
    const gone = { slot: 3, guestAddress: 0x300000, flags };
    const memory = vm.memory.map(0x1000);
    vm.memory.setSlot({ ...gone, size: 0x1000, memory });
    vm.memory.setSlot({ ...gone, size: 0, memory });
    run();
    attempt(() => vm.memory.dirtyLog(2, 1));
    attempt(() => vm.memory.dirtyLog(3, 1));
    attempt(() => vm.memory.dirtyLog(4, 1));
    attempt(() => vm.memory.dirtyLog(0xffff, 1));
    const spaces = vm.checkExtension("KVM_CAP_MULTI_ADDRESS_SPACE");
    attempt(() => vm.memory.dirtyLog(Math.max(spaces, 1) << 16 | 1, 1));
    vm.memory.dirtyLog(1, 1);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000 flags=0x1
    > slot 0x2 gpa=0x200000 size=0x1000
    > slot 0x3 gpa=0x300000 size=0x1000 flags=0x1
    > slot 0x3 gpa=0x300000 size=0x0 flags=0x1
    hlt
    > dirty-log 0x2 -> ENOENT
    > dirty-log 0x3 -> ENOENT
    > dirty-log 0x4 -> ENOENT
    > dirty-log 0xffff -> EINVAL
    > dirty-log 0x10001|0x20001 -> EINVAL
    > dirty-log 0x1 -> [0x0]
    = mem 0x100000 u8 0xa1
    = mem 0x200000 u8 0xa2
  `,
});
