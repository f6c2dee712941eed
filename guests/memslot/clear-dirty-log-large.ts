import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

const PAGES = 0x420;
const FIRST = 512;

/** A clear of 64 pages over the border of two large pages tracks the pages on both sides of it. */
export default defineCase({
  id: "memslot/clear-dirty-log-large",
  spec: [
    "KVM API 4.117: dirty tracking is re-enabled for that page",
    "KVM API 7.18: KVM_DIRTY_LOG_INITIALLY_SET",
  ],
  requires: [{ capability: "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", atLeast: 3 }],
  mode: "protected",
  // The slot begins 32 pages before 0x400000, so that its pages 512 to 575 lie around 0x600000.
  guest: asm`
    mov byte [0x400000], 0xa1
    mov byte [0x600000], 0xa2
    out 0x10, al
    mov byte [0x5ff000], 0xb1
    mov byte [0x600001], 0xb2
    mov byte [0x620000], 0xb3
    hlt
  `,
  drive({ vm, run, assertEquals }) {
    vm.enableCapability("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", 3);
    const memory = vm.memory.map(0x620000);
    const offset = 0x200000 - Number((memory.address + 0x20000n) % 0x200000n);
    // With something in it, each large page can be one of the host's too.
    memory.bytes[offset + 0x20800] = memory.bytes[offset + 0x220800] = 1;
    const slot = { slot: 1, guestAddress: 0x3e0000, size: PAGES * 0x1000, memory, offset };
    vm.memory.setSlot(slot);
    run();
    vm.memory.setSlot({ ...slot, flags: MEMORY_LOG_DIRTY_PAGES });
    const cleared = () =>
      vm.memory.dirtyLog(1, PAGES).filter((page) => page >= FIRST && page < FIRST + 64);
    assertEquals("pages at first", cleared().length, 64);
    vm.memory.clearDirtyLog(1, FIRST, 64);
    assertEquals("pages after the clear", cleared(), []);
    run();
    assertEquals("pages written", cleared(), [543n, 544n]);
  },
  trace: `
    > enable manual-dirty-log-protect2 0x3
    > slot 0x1 gpa=0x3e0000 size=0x420000
    pio out 0x10 u8 0x0
    > slot 0x1 gpa=0x3e0000 size=0x420000 flags=0x1
    > dirty-log 0x1 -> *
    > clear-dirty-log 0x1 first=0x200 pages=0x40
    > dirty-log 0x1 -> *
    hlt
    > dirty-log 0x1 -> *
    = mem 0x400000 u8 0xa1
    = mem 0x5ff000 u8 0xb1
    = mem 0x600000 u8 [0xa2 0xb2]
    = mem 0x620000 u8 0xb3
  `,
});
