import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** Bytes of the ring: 256 entries. */
const SIZE = 0x1000;
/** As many pages as make it full once: KVM keeps entries free for the processor's own log. */
const PAGES = 280;
const ROUNDS = 5;

/** The processor's page-modification log, of 512 pages, wants a larger ring. */
const rows = {
  "without-log": { requires: [{ backend: ["svm", "pvm"] }] },
  "log-switched-off": { requires: [{ parameter: "kvm_intel.pml", value: "N" }] },
} as const;

/** A full ring ends KVM_RUN until it has been harvested and reset, and no page is lost. */
export default defineCases("system/dirty-ring-full", rows, ({ requires }) => ({
  spec: ["KVM API 8.29: the dirty ring can get full; KVM_EXIT_DIRTY_RING_FULL"],
  mode: "protected",
  withoutLens: { restore: "the ring of a new vCPU is empty" },
  requires: ["KVM_CAP_DIRTY_LOG_RING", ...requires],
  prepare: (vm) => vm.enableCapability("KVM_CAP_DIRTY_LOG_RING", SIZE),
  registers: { rbx: BigInt(ROUNDS) },
  guest: asm`
    round:
    mov edi, 0x400000
    mov ecx, ${PAGES}
    next:
    mov byte [edi], 0x41
    add edi, 0x1000
    loop next
    out 0x10, al
    dec ebx
    jnz round
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
    for (let round = 0; round < ROUNDS; round++) {
      run();
      // Full stays full: the guest is not entered.
      if (round === 0) run();
      const first = ring.harvest();
      vm.memory.resetDirtyRings();
      run();
      const pages = new Set([...first, ...ring.harvest()].map(({ page }) => page));
      vm.memory.resetDirtyRings();
      assertEquals(`pages of round ${round}`, pages.size, PAGES);
      assertEquals("a part of them at first", first.length > 0 && first.length < PAGES, true);
    }
    // They are known: the frame need not tell them.
    memory.bytes.fill(0);
  },
  trace: `
    > slot 0x1 gpa=0x400000 size=0x${(PAGES * 0x1000).toString(16)} flags=0x1
    dirty-ring-full
    ${
    Array(ROUNDS).fill(`
    dirty-ring-full
    > reset-dirty-rings -> *
    pio out 0x10 u8 0x0
    > reset-dirty-rings -> *`).join("")
  }
    hlt
    = rbx 0x0
    = rdi 0x0
    = rflags 0x46
  `,
}));
