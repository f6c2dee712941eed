import {
  asm,
  defineCases,
  type DriveContext,
  type Mapping,
  MEMORY_LOG_DIRTY_PAGES,
  MEMORY_READONLY,
} from "../../mod.ts";

const LARGE = 0x200000;
const PAGE = 0x1000;

/** How many mappings of each size there are more than before the guest got at the slot. */
type Mapped = readonly [small: number, large: number];

interface Row {
  /** What the guest accesses between the host's looks. */
  readonly steps: readonly (readonly number[])[];
  /** What is mapped after each step. */
  readonly mapped: readonly Mapped[];
  /** What the host does between the steps. */
  readonly act?: (host: DriveContext & { memory: Mapping; offset: number; slot: Slot }) => void;
  readonly slot?: Partial<Slot>;
  /** The host maps its memory by small pages. */
  readonly small?: true;
  readonly access?: "read" | "write";
}

interface Slot {
  readonly slot: number;
  readonly guestAddress: number;
  readonly size: number;
  readonly flags: number;
  /** Bytes into the memory, of which a multiple of 2 MiB lies at 0. */
  readonly low: number;
}

const BASE = 0x400000;
const three = [BASE, BASE + 0x5000, BASE + 0x1ff000];

const rows: Record<string, Row> = {
  "small": { small: true, steps: [[BASE], three], mapped: [[1, 0], [3, 0]] },
  "small-written": {
    small: true,
    access: "write",
    steps: [three, three],
    mapped: [[3, 0], [3, 0]],
  },
  "large-read": { steps: [[BASE + 0x5000], three], mapped: [[0, 1], [0, 1]] },
  "large-written": { access: "write", steps: [three, three], mapped: [[0, 1], [0, 1]] },
  "both-large": { steps: [[BASE, BASE + LARGE]], mapped: [[0, 2]] },
  "last-page": { steps: [[BASE + 2 * LARGE - PAGE]], mapped: [[0, 1]] },
  // The first and the last of the two large pages are no longer whole in the slot.
  "begins-behind-the-boundary": {
    slot: { guestAddress: BASE + PAGE, size: 2 * LARGE - PAGE, low: PAGE },
    steps: [[BASE + PAGE, BASE + 0x5000], [BASE + LARGE]],
    mapped: [[2, 0], [2, 1]],
  },
  "ends-before-the-boundary": {
    slot: { size: 2 * LARGE - PAGE },
    steps: [[BASE + LARGE, BASE + LARGE + PAGE], [BASE]],
    mapped: [[2, 0], [2, 1]],
  },
  "guest-off-by-a-page": {
    slot: { guestAddress: BASE + PAGE, size: 2 * LARGE - PAGE },
    steps: [[BASE + LARGE, BASE + LARGE + PAGE]],
    mapped: [[2, 0]],
  },
  "read-only-slot": {
    slot: { flags: MEMORY_READONLY },
    steps: [[BASE], three],
    mapped: [[0, 1], [0, 1]],
  },
  "logged": {
    slot: { flags: MEMORY_LOG_DIRTY_PAGES },
    access: "write",
    steps: [[BASE], three],
    mapped: [[1, 0], [3, 0]],
  },
  // Switching the log off gives the large page back at the next access.
  "logged-no-longer": {
    slot: { flags: MEMORY_LOG_DIRTY_PAGES },
    access: "write",
    steps: [three, [BASE]],
    mapped: [[3, 0], [0, 1]],
    act: ({ vm, memory, offset, slot: { low: _, ...slot } }) =>
      vm.memory.setSlot({ ...slot, memory, offset, flags: 0 }),
  },
  // A part of the large page goes away, and with it the large page of the host.
  "part-not-needed": {
    steps: [[BASE, BASE + LARGE], [BASE, BASE + 0x5000]],
    mapped: [[0, 2], [2, 1]],
    act: ({ memory, offset }) => memory.advise("dontneed", offset + 0x3000, PAGE),
  },
  "not-needed": {
    steps: [[BASE, BASE + LARGE], []],
    mapped: [[0, 2], [0, 0]],
    act: ({ memory, offset }) => memory.advise("dontneed", offset, 2 * LARGE),
  },
  "one-not-needed": {
    steps: [[BASE, BASE + LARGE], []],
    mapped: [[0, 2], [0, 1]],
    act: ({ memory, offset }) => memory.advise("dontneed", offset + LARGE, LARGE),
  },
  "small-not-needed": {
    small: true,
    steps: [three, []],
    mapped: [[3, 0], [2, 0]],
    act: ({ memory, offset }) => memory.advise("dontneed", offset + 0x4000, 0x3000),
  },
  "behind-not-needed": {
    small: true,
    steps: [three, []],
    mapped: [[3, 0], [3, 0]],
    act: ({ memory, offset }) => memory.advise("dontneed", offset + 0x6000, 0x1000),
  },
  // Two large pages of the host are in the place of small ones.
  "collapsed": {
    small: true,
    steps: [three, [BASE]],
    mapped: [[3, 0], [0, 1]],
    act: ({ memory, offset }) => collapse(memory, offset),
  },
};

/** KVM maps by large pages where slot, host memory and guest address allow, and by small ones else. */
export default defineCases("stats/pages", rows, (row) => {
  const { steps, mapped, access = "read", small } = row;
  const slot = {
    slot: 1,
    guestAddress: BASE,
    size: 2 * LARGE,
    flags: 0,
    low: 0,
    ...row.slot,
  };
  const instruction = (address: number) =>
    access === "read" ? `mov ebx, [${address}]` : `mov dword [${address}], 0`;
  return {
    spec: [
      "KVM API 4.133: KVM_GET_STATS_FD, statistics of one value",
      "KVM API 4.35: the lower 21 bits of guest_phys_addr and userspace_addr",
    ],
    mode: "protected",
    // Else KVM maps nothing: it runs the guest in its emulator.
    requires: ["KVM_CAP_BINARY_STATS_FD", "KVM_CAP_READONLY_MEM", { backend: ["svm", "vmx"] }],
    withoutLens: { restore: "statistics are of the VM that is destroyed" },
    guest: asm`
      out 0x10, al
      ${steps.map((step) => `${step.map(instruction).join("\n")}\nout 0x11, al`).join("\n")}
      hlt
    `,
    drive(context) {
      const { vm, run, assertEquals } = context;
      const memory = vm.memory.map(4 * LARGE);
      const offset = LARGE - Number(memory.address % BigInt(LARGE));
      const { low, ...plain } = slot;
      if (small) {
        memory.advise("nohugepage");
        memory.advise("populate-write", offset, 2 * LARGE);
      } else {
        collapse(memory, offset);
      }
      vm.memory.setSlot({ ...plain, memory, offset: offset + low });
      using statistics = vm.statistics();
      const read = () => ["pages_4k", "pages_2m"].map((name) => Number(statistics.value(name)));
      run();
      const before = read();
      steps.forEach((_, step) => {
        if (step > 0) row.act?.({ ...context, memory, offset, slot });
        run();
        const now = read().map((count, index) => count - before[index]);
        assertEquals(`mappings of 4 KiB and 2 MiB after step ${step}`, now, mapped[step]);
      });
    },
    trace: `
      > slot 0x1 gpa=0x${slot.guestAddress.toString(16)} size=0x${slot.size.toString(16)} ${
      slot.flags === 0 ? "" : `flags=0x${slot.flags}`
    }
      pio out 0x10 u8 0x0
      pio out 0x11 u8 0x0
      ${
      row.act !== undefined && row.slot?.flags === MEMORY_LOG_DIRTY_PAGES
        ? "> slot 0x1 gpa=0x400000 size=0x400000"
        : ""
    }
      ${steps.slice(1).map(() => "pio out 0x11 u8 0x0").join("\n")}
      hlt
    `,
  };
});

/** Puts large pages of the host behind two of them. */
function collapse(memory: Mapping, offset: number): void {
  memory.advise("hugepage");
  memory.advise("populate-write", offset, 2 * LARGE);
  memory.advise("collapse", offset, 2 * LARGE);
}
