import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES, type Requirement } from "../../mod.ts";

interface Row {
  /** Up to the first exit after which the log is looked at. */
  readonly guest: string;
  /** The pages that are written by then, and by the second look. */
  readonly logs: readonly [first: string, second: string];
  /** The guest is told that it was paused, by which its clock is written again. */
  readonly paused?: true;
  readonly requires: readonly Requirement[];
  readonly exits?: string;
}

const wrmsr = (msr: number, value: number) => `
  mov ecx, ${msr}
  mov eax, ${value}
  xor edx, edx
  wrmsr
`;

const rows: Record<string, Row> = {
  "clock": {
    guest: wrmsr(0x4b564d01, 0x101001),
    logs: ["0x1", ""],
    requires: [{ cpuid: "KVM-CLOCKSOURCE2" }],
  },
  "clock-at-the-end-of-a-page": {
    guest: wrmsr(0x4b564d01, 0x102fe1),
    logs: ["0x2", ""],
    requires: [{ cpuid: "KVM-CLOCKSOURCE2" }],
  },
  "clock-paused": {
    guest: wrmsr(0x4b564d01, 0x101001),
    logs: ["0x1", "0x1"],
    paused: true,
    requires: [{ cpuid: "KVM-CLOCKSOURCE2" }, "KVM_CAP_KVMCLOCK_CTRL"],
  },
  "wall-clock": {
    guest: wrmsr(0x4b564d00, 0x102800),
    logs: ["0x2", ""],
    requires: [{ cpuid: "KVM-CLOCKSOURCE2" }],
  },
  "string-in": {
    guest: "mov edi, 0x101ffe\nmov ecx, 4\nmov edx, 0x20\nrep insb",
    exits: "pio in 0x20 u8 -> [0x1 0x2 0x3 0x4]",
    logs: ["0x1 0x2", ""],
    requires: [],
  },
  "string-in-words-across-pages": {
    guest: "mov edi, 0x100fff\nmov ecx, 1\nmov edx, 0x20\nrep insd",
    exits: "pio in 0x20 u32 -> 0x4030201",
    logs: ["0x0 0x1", ""],
    requires: [],
  },
  // The processor, or the emulator, marks the descriptor as accessed.
  "descriptor": {
    guest: `
      mov eax, 8
      lgdt [0xa020]
      mov es, ax
    `,
    logs: ["0x2", ""],
    requires: [],
  },
  "descriptor-table-registers": {
    guest: "sgdt [0x100ffd]\nsidt [0x102000]",
    logs: ["0x0 0x1 0x2", ""],
    requires: [],
  },
};

/** What KVM itself writes to a slot for its guest is in the dirty log like what the guest writes. */
export default defineCases("memslot/dirty-log-kvm", rows, (row, name) => ({
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG", "KVM x86 MSRs: MSR_KVM_SYSTEM_TIME_NEW"],
  mode: "protected",
  requires: row.requires,
  withoutLens: { restore: "a restored vCPU's clock is written anew" },
  guest: asm`
    out 0x10, al
    ${row.guest}
    out 0x11, al
    out 0x12, al
    mov eax, 0
    hlt
  `,
  drive({ vm, vcpu, run, write }) {
    const memory = vm.memory.map(0x4000);
    // So that a page is mapped, and not written, when the guest comes to it.
    memory.bytes[0x1001] = 0;
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x4000, memory, flags });
    if (name === "descriptor") {
      // LGDT's operand, and a flat data segment that was not accessed yet.
      write(0xa020, Uint8Array.of(0xf, 0, 0, 0x28, 0x10, 0));
      memory.bytes.set([0xff, 0xff, 0, 0, 0, 0x92, 0xcf, 0], 0x2808);
    }
    run();
    while (true) {
      const exit = run();
      if (exit.reason === "pio" && exit.port === 0x11) break;
    }
    run();
    vm.memory.dirtyLog(1, 4);
    vm.memory.dirtyLog(1, 4);
    if (row.paused) vcpu.kvmclockControl();
    run();
    vm.memory.dirtyLog(1, 4);
    // What is in them is for other cases to say.
    memory.bytes.fill(0);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x4000 flags=0x1
    pio out 0x10 u8 0x0
    ${row.exits ?? ""}
    pio out 0x11 u8 *
    pio out 0x12 u8 *
    > dirty-log 0x1 -> [${row.logs[0]}]
    > dirty-log 0x1 -> []
    ${row.paused ? "> kvmclock-ctrl" : ""}
    hlt
    > dirty-log 0x1 -> [${row.logs[1]}]
    = rcx *
    = rdx *
    = rdi *
    = rflags *
    ${name === "descriptor" ? "= es.selector 0x8\n= gdt.base 0x102800\n= gdt.limit 0xf" : ""}
  `,
}));
