import { asm, defineCases, type DriveContext, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

interface Row {
  /** What the guest does between the first exit and the last. */
  readonly guest: string;
  /** By how much each counter moves meanwhile. */
  readonly moves: Readonly<Record<string, bigint>>;
  readonly exits?: string;
  readonly flags?: number;
  /** What the host does at the second exit, before the last part of the guest. */
  readonly act?: (context: DriveContext) => void;
  readonly then?: string;
  readonly state?: string;
}

const rows: Record<string, Row> = {
  "nothing": {
    guest: "",
    moves: { pf_fixed: 0n, pf_fast: 0n, pf_mmio_spte_created: 0n, pf_emulate: 0n },
  },
  "three-pages": {
    guest: "mov al, [0x101000]\nmov al, [0x102000]\nmov al, [0x103000]",
    moves: { pf_fixed: 3n, pf_fast: 0n, pf_mmio_spte_created: 0n, pf_emulate: 0n },
  },
  // Memory of the host that is writable is so for the guest from the first read on.
  "read-then-write": {
    guest: "mov al, [0x101000]\nmov byte [0x101000], 0\nmov al, [0x101fff]",
    moves: { pf_fixed: 1n, pf_fast: 0n },
  },
  "the-same-again": {
    guest: "mov byte [0x101000], 0\nmov byte [0x101800], 0\nmov byte [0x101000], 0",
    moves: { pf_fixed: 1n },
  },
  "device": {
    guest: "mov [0xd0000000], al\nmov [0xd0000008], al\nmov [0xd0001000], al",
    exits: `
      mmio write 0xd0000000 u8 0x0
      mmio write 0xd0000008 u8 0x0
      mmio write 0xd0001000 u8 0x0
    `,
    moves: { pf_fixed: 0n, pf_mmio_spte_created: 2n },
  },
  // A page that is logged is written through without more than its write right coming back.
  "logged-again": {
    guest: "mov byte [0x101000], 0\nmov byte [0x102000], 0",
    flags: MEMORY_LOG_DIRTY_PAGES,
    act: ({ vm }) => vm.memory.dirtyLog(1, 4),
    then: "mov byte [0x101000], 0\nmov byte [0x101001], 0",
    exits: "> dirty-log 0x1 -> [0x1 0x2]",
    moves: { pf_fixed: 3n, pf_fast: 1n },
  },
  "logged-again-read": {
    guest: "mov byte [0x101000], 0\nmov byte [0x102000], 0",
    flags: MEMORY_LOG_DIRTY_PAGES,
    act: ({ vm }) => vm.memory.dirtyLog(1, 4),
    then: "mov al, [0x101000]\nmov al, [0x102000]",
    exits: "> dirty-log 0x1 -> [0x1 0x2]",
    moves: { pf_fixed: 2n, pf_fast: 0n },
  },
};

/** KVM maps a page at its first access, and gives its write right back without mapping it again. */
export default defineCases("stats/faults", rows, (row) => ({
  spec: [
    "KVM API 4.133: KVM_GET_STATS_FD, cumulative statistics",
    "KVM API 4.8: KVM_GET_DIRTY_LOG",
  ],
  mode: "protected",
  requires: ["KVM_CAP_BINARY_STATS_FD", { backend: ["svm", "vmx"] }],
  withoutLens: { restore: "statistics are of the VM that is destroyed" },
  guest: asm`
    out 0x10, al
    ${row.guest}
    out 0x11, al
    ${row.then ?? ""}
    hlt
  `,
  drive(context) {
    const { vm, vcpu, run, assertEquals } = context;
    const memory = vm.memory.map(0x4000);
    // Small pages that are there already.
    memory.advise("nohugepage");
    memory.advise("populate-write");
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x4000, memory };
    vm.memory.setSlot({ ...slot, flags: row.flags ?? 0 });
    using statistics = vcpu.statistics();
    run();
    const before = statistics.read();
    while (true) {
      const exit = run();
      if (exit.reason === "hlt") break;
      if (exit.reason === "pio") row.act?.(context);
    }
    const after = statistics.read();
    const moved = Object.keys(row.moves).map((name) => [
      name,
      after.get(name)![0] - before.get(name)![0],
    ]);
    assertEquals("what moved", moved, Object.entries(row.moves));
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x4000 ${row.flags === undefined ? "" : "flags=0x1"}
    pio out 0x10 u8 0x0
    ${row.act ? "" : row.exits ?? ""}
    pio out 0x11 u8 0x0
    ${row.act ? row.exits : ""}
    hlt
  `,
}));
