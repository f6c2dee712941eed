import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** Bytes of the ring: 4096 entries. */
const SIZE = 0x10000;
/** Where slots 1 and 2 are; 2 begins where the pages of 1 are 1024 and up. */
const BASE = 0x400000;
const PAGES = 1024;

// Pages in the order in which they are written, those of slot 2 from 1024 on. A reset takes pages of
// one slot together that lie less than 64 apart.
const rows: Record<string, readonly number[]> = {
  "one": [7],
  "ascending": [0, 1, 2, 3, 62, 63],
  "descending": [63, 62, 3, 2, 1, 0],
  "sixty-three-apart": [10, 73],
  "sixty-four-apart": [10, 74, 138],
  "sixty-three-back": [73, 10],
  "sixty-four-back": [138, 74, 10],
  // The page before the first would push the last of the 64 out.
  "back-with-the-last": [10, 73, 9],
  "back-with-the-last-but-one": [10, 72, 9, 8],
  "to-and-fro": [100, 99, 101, 98, 102, 164, 163, 161, 97],
  "far": [0, 1023, 1, 1022],
  "two-slots": [5, 1024 + 5, 6, 1024 + 6, 4, 1024 + 4],
  "slot-boundary": [1023, 1024, 1022, 1025],
  "same-page-of-both": [0, 1024, 1, 1025, 64, 1024 + 64],
};

/** Every page that a reset of the ring takes back is told of again when it is written again, whatever the order was. */
export default defineCases("memslot/dirty-ring-order", rows, (pages) => ({
  spec: ["KVM API 8.29: KVM_CAP_DIRTY_LOG_RING, KVM_RESET_DIRTY_RINGS"],
  mode: "protected",
  withoutLens: { restore: "the ring is of the vCPU that is destroyed" },
  requires: ["KVM_CAP_DIRTY_LOG_RING"],
  prepare: (vm) => vm.enableCapability("KVM_CAP_DIRTY_LOG_RING", SIZE),
  guest: asm`
    mov ebx, 4
    round:
    mov esi, 0xa000
    mov ecx, ${pages.length}
    next:
    lodsd
    inc dword [eax]
    loop next
    out 0x10, al
    dec ebx
    jnz round
    hlt
  `,
  drive({ vm, vcpu, run, write, assertEquals }) {
    const flags = MEMORY_LOG_DIRTY_PAGES;
    const size = PAGES * 0x1000;
    // So large that the runner leaves it to the case to compare.
    const memory = vm.memory.map(0x1100000);
    const slot = { size, memory, flags };
    vm.memory.setSlot({ ...slot, slot: 1, guestAddress: BASE });
    vm.memory.setSlot({ ...slot, slot: 2, guestAddress: BASE + size, offset: size });
    write(0xa000, new Uint8Array(Uint32Array.from(pages, (page) => BASE + page * 0x1000).buffer));
    using ring = vcpu.dirtyRing(SIZE);
    const expected = pages.map((page) => page < PAGES ? `1: ${page}` : `2: ${page - PAGES}`);
    for (const round of [1, 2, 3]) {
      run();
      // Where KVM emulates a write it has nothing to tell by that it told of the page before.
      const told = [...new Set(ring.harvest().map(({ slot, page }) => `${slot}: ${page}`))];
      assertEquals(`written in round ${round}`, told, expected);
      vm.memory.resetDirtyRings();
    }
    run();
    const told = [...new Set(ring.harvest().map(({ slot, page }) => `${slot}: ${page}`))];
    assertEquals("written in round 4", told, expected);
    run();
    for (const page of pages) {
      assertEquals(`page ${page}`, memory.view.getUint32(page * 0x1000, true), 4);
      memory.view.setUint32(page * 0x1000, 0, true);
    }
  },
  trace: `
    > slot 0x1 gpa=0x400000 size=0x400000 flags=0x1
    > slot 0x2 gpa=0x800000 size=0x400000 flags=0x1
    pio out 0x10 u8 *
    > reset-dirty-rings -> *
    pio out 0x10 u8 *
    > reset-dirty-rings -> *
    pio out 0x10 u8 *
    > reset-dirty-rings -> *
    pio out 0x10 u8 *
    hlt
    = rax *
    = rsi 0x${(0xa000 + 4 * pages.length).toString(16)}
    = rflags 0x46
  `,
}));
