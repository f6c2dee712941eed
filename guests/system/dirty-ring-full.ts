import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** Bytes of the ring: 1024 entries. */
const SIZE = 0x4000;
/** As many pages as make it full once: KVM keeps entries free for the processor's own log. */
const PAGES = 1100;

/** The processor's page-modification log, of 512 pages, makes the ring full earlier. */
const rows = {
  "without-log": { requires: [{ backend: ["svm", "pvm"] }] },
  "log-switched-off": { requires: [{ parameter: "kvm_intel.pml", value: "N" }] },
} as const;

/** A full ring ends KVM_RUN until it has been harvested and reset, and no page is lost. */
export default defineCases("system/dirty-ring-full", rows, ({ requires }) => ({
  spec: ["KVM API 8.29: the dirty ring can get full; KVM_EXIT_DIRTY_RING_FULL"],
  mode: "protected",
  requires: ["KVM_CAP_DIRTY_LOG_RING", ...requires],
  prepare: (vm) => vm.enableCapability("KVM_CAP_DIRTY_LOG_RING", SIZE),
  registers: { rdi: 0x400000n, rcx: BigInt(PAGES) },
  guest: asm`
    next:
    mov byte [edi], 0x41
    add edi, 0x1000
    loop next
    mov edi, 0
    hlt
  `,
  drive({ vm, vcpu, run, assertEquals }) {
    const memory = vm.memory.map(PAGES * 0x1000);
    vm.memory.setSlot({
      slot: 1,
      guestAddress: 0x400000,
      size: PAGES * 0x1000,
      memory,
      flags: MEMORY_LOG_DIRTY_PAGES,
    });
    using ring = vcpu.dirtyRing(SIZE);
    run();
    // Full stays full: the guest is not entered.
    run();
    const first = ring.harvest();
    vm.memory.resetDirtyRings();
    run();
    const pages = new Set([...first, ...ring.harvest()].map(({ page }) => Number(page)));
    const lost = Array.from({ length: PAGES }, (_, page) => page).filter((page) =>
      !pages.has(page)
    );
    assertEquals("lost pages", { count: lost.length, first: lost.slice(0, 3) }, {
      count: 0,
      first: [],
    });
    assertEquals("pages", pages.size, PAGES);
    assertEquals("a part of them at first", first.length > 0 && first.length < PAGES, true);
    // They are known: the frame need not tell them.
    memory.bytes.fill(0);
  },
  trace: `
    > slot 0x1 gpa=0x400000 size=0x${(PAGES * 0x1000).toString(16)} flags=0x1
    dirty-ring-full
    dirty-ring-full
    > reset-dirty-rings -> *
    hlt
    = rcx 0x0
    = rdi 0x0
    = rflags 0x6
  `,
}));
