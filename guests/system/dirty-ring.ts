import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** Bytes of the ring: 4096 entries, so that what KVM keeps for the processor's own log leaves room. */
const SIZE = 0x10000;

const rows = {
  // Page, and how often it is written.
  once: { writes: [[3, 1]], pages: [3n] },
  "the-same-twice": { writes: [[3, 2]], pages: [3n] },
  "in-order": { writes: [[5, 1], [1, 1], [7, 1], [1, 1]], pages: [5n, 1n, 7n] },
  none: { writes: [], pages: [] },
};

/** The ring tells each page that the guest wrote, in the order of the first writes. */
export default defineCases("system/dirty-ring", rows, ({ writes, pages }) => ({
  spec: [
    "KVM API 8.29: KVM_CAP_DIRTY_LOG_RING, struct kvm_dirty_gfn, KVM_RESET_DIRTY_RINGS",
    "KVM API 4.8: KVM_GET_DIRTY_LOG",
  ],
  mode: "protected",
  requires: ["KVM_CAP_DIRTY_LOG_RING"],
  prepare: (vm) => vm.enableCapability("KVM_CAP_DIRTY_LOG_RING", SIZE),
  guest: asm`
    ${
    writes.flatMap(([page, times]) =>
      Array(times).fill(`mov byte [${0x100000 + page * 0x1000}], 0x41`)
    ).join("\n    ")
  }
    out 0x10, al
    ${writes.map(([page]) => `mov byte [${0x100000 + page * 0x1000 + 1}], 0x42`).join("\n    ")}
    hlt
  `,
  drive({ vm, vcpu, run, assertEquals }) {
    const memory = vm.memory.map(0x8000);
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x8000, memory, flags });
    using ring = vcpu.dirtyRing(SIZE);
    assertEquals("entries", ring.capacity, SIZE / 16);
    assertEquals("before the guest runs", ring.harvest(), []);
    run();
    // KVM may tell a page again: where it emulates the write it has nothing to tell it by.
    const harvest = () => [...new Set(ring.harvest().map(({ slot, page }) => `${slot}: ${page}`))];
    const expected = pages.map((page) => `1: ${page}`);
    assertEquals("what it wrote", harvest(), expected);
    assertEquals("again", ring.harvest(), []);
    vm.memory.resetDirtyRings();
    run();
    assertEquals("what it wrote after the reset", harvest(), expected);
    vm.memory.resetDirtyRings();
    vm.memory.resetDirtyRings();
    // The bitmap is not there beside the ring.
    const { observer } = vm;
    vm.observer = undefined;
    const answer = refusal(() => vm.memory.dirtyLog(1, 8));
    vm.observer = observer;
    assertEquals("KVM_GET_DIRTY_LOG", answer, "ENXIO");
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x8000 flags=0x1
    pio out 0x10 u8 0x0
    > reset-dirty-rings -> *
    hlt
    > reset-dirty-rings -> *
    > reset-dirty-rings -> 0x0
    ${[...pages].sort().map((page) => `= mem 0x10${page}000 u8 [0x41 0x42]`).join("\n    ")}
  `,
}));
