import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** What the host itself writes to a slot's memory is not in the dirty log; what the guest writes beside it is. */
export default defineCase({
  id: "memslot/dirty-log-host-write",
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG"],
  mode: "protected",
  withoutLens: { restore: "KVM maps a page of a new VM writable when it is read, and logs that" },
  guest: asm`
    mov byte [0x100000], 0xa1
    mov byte [0x101000], 0xa2
    mov byte [0x102000], 0xa3
    out 0x10, al
    mov al, [0x101fff]
    mov byte [0x102000], 0xb3
    hlt
  `,
  drive({ vm, run, write }) {
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.addRam(0x100000, 0x3000, { slot: 1, flags });
    write(0x100800, Uint8Array.of(0x5a));
    vm.memory.dirtyLog(1, 3);
    run();
    vm.memory.dirtyLog(1, 3);
    write(0x100fff, Uint8Array.of(0x5b));
    write(0x101fff, Uint8Array.of(0x5c));
    vm.memory.dirtyLog(1, 3);
    run();
    vm.memory.dirtyLog(1, 3);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x3000 flags=0x1
    > dirty-log 0x1 -> []
    pio out 0x10 u8 0x0
    > dirty-log 0x1 -> [0x0 0x1 0x2]
    > dirty-log 0x1 -> []
    hlt
    > dirty-log 0x1 -> [0x2]
    = rax 0x5c
    = mem 0x100000 u8 0xa1
    = mem 0x101000 u8 0xa2
    = mem 0x102000 u8 0xb3
  `,
});
