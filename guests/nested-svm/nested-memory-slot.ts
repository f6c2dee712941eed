import {
  asm,
  defineCases,
  type DriveContext,
  MEMORY_LOG_DIRTY_PAGES,
  MEMORY_READONLY,
} from "../../mod.ts";
import {
  ALL,
  machineOfTested,
  prepared,
  prepareTables,
  ROOT,
  TABLE,
  TESTED,
  usual,
} from "./_nested_paging.ts";
import { report, reported, requiresNestedPaging, run, VMCB, vmcb, written } from "./_vmcb.ts";

/** The slot behind the guest's page: three pages, or 2 MiB. */
const SLOT = 0x400000;

interface Row {
  /** What the guest does; each OUT to port 0x20 gives the host its turn. */
  code: string;
  turns: ((context: DriveContext, set: (change: object) => void) => void)[];
  exits: string;
  state?: string;
  flags?: number;
  size?: number;
  /** The nested tables are new, and in a slot whose writes are logged. */
  freshTables?: true;
  large?: true;
}

const slotLine = (change: string) => `> slot 0x2 ${change}`;
const turn = "pio out 0x20 u8 0x77";
const log = (pages: number) => ({ vm }: DriveContext) => {
  vm.memory.dirtyLog(2, pages);
};
const none = () => {};

const rows: Record<string, Row> = {
  delete: {
    code: `
      mov edi, [rsi]
      out 0x20, al
      mov ebx, [rsi]
      mov [rsi + 4], eax
      out 0x20, al
      mov edi, [rsi]
      mov [rsi + 8], ebx
    `,
    turns: [(_, set) => set({ size: 0 }), (_, set) => set({})],
    exits: `
      ${turn}
      ${slotLine("gpa=0x400000 size=0x0")}
      mmio read 0x400d00 u32 -> 0x55
      mmio write 0x400d04 u32 0x77
      ${turn}
      ${slotLine("gpa=0x400000 size=0x3000")}
    `,
    state: "= rdi 0x11223344\n= mem 0x400d08 u32 0x55",
  },
  move: {
    code: `
      mov [rsi + 4], eax
      out 0x20, al
      mov ebx, [rsi]
      mov edi, [rsi + 0x2000]
    `,
    // To where the guest's third page is.
    turns: [(_, set) => set({ guestAddress: SLOT + 0x2000 })],
    exits: `
      ${turn}
      ${slotLine("gpa=0x402000 size=0x3000")}
      mmio read 0x400d00 u32 -> 0x55
    `,
    state: "= rdi 0x11223344\n= mem 0x402d04 u32 0x77",
  },
  "read-only": {
    flags: MEMORY_READONLY,
    code: `
      mov edi, [rsi]
      mov [rsi + 4], eax
      mov edi, [rsi + 4]
      add [rsi], eax
      mov edi, [rsi]
    `,
    turns: [],
    exits: "mmio write 0x400d04 u32 0x77\nmmio write 0x400d00 u32 0x112233bb",
    state: "= rdi 0x11223344",
  },
  "becomes-read-only": {
    code: `
      mov [rsi + 4], eax
      out 0x20, al
      mov [rsi + 4], al
      mov edi, [rsi + 4]
    `,
    // Whether it is read-only is fixed: the slot is made anew.
    turns: [(_, set) => {
      set({ size: 0 });
      set({ flags: MEMORY_READONLY });
    }],
    exits: `
      ${turn}
      ${slotLine("gpa=0x400000 size=0x0")}
      ${slotLine("gpa=0x400000 size=0x3000 flags=0x2")}
      mmio write 0x400d04 u8 0x77
    `,
    state: "= rdi 0x77\n= mem 0x400d04 u32 0x77",
  },
  // KVM may map a page that is read first as writable, and then it counts as written.
  "dirty-log": {
    flags: MEMORY_LOG_DIRTY_PAGES,
    code: `
      mov [rsi + 0x1000], eax
      mov edi, [rsi + 0x2000]
      out 0x20, al
      mov [rsi + 0x1000], al
      mov [rsi + 0x2000], al
      out 0x20, al
      mov edi, [rsi + 0x1000]
      out 0x20, al
    `,
    turns: [log(3), log(3), log(3)],
    exits: `
      ${turn}
      > dirty-log 0x2 -> *
      ${turn}
      > dirty-log 0x2 -> [0x1 0x2]
      ${turn}
      > dirty-log 0x2 -> []
    `,
    state: "= rdi 0x77\n= mem 0x401d00 u32 0x77\n= mem 0x402d00 u32 0x77",
  },
  "dirty-log-begins": {
    code: `
      mov [rsi + 0x1000], eax
      mov [rsi + 0x2000], eax
      out 0x20, al
      out 0x20, al
      mov [rsi + 0x1000], al
      out 0x20, al
      mov edi, [rsi + 0x2000]
    `,
    turns: [(_, set) => set({ flags: MEMORY_LOG_DIRTY_PAGES }), log(3), log(3)],
    exits: `
      ${turn}
      ${slotLine("gpa=0x400000 size=0x3000 flags=0x1")}
      ${turn}
      > dirty-log 0x2 -> []
      ${turn}
      > dirty-log 0x2 -> [0x1]
    `,
    state: "= rdi 0x77\n= mem 0x401d00 u32 0x77\n= mem 0x402d00 u32 0x77",
  },
  "dirty-log-ends": {
    flags: MEMORY_LOG_DIRTY_PAGES,
    code: `
      mov [rsi + 0x1000], eax
      out 0x20, al
      mov [rsi + 0x1004], eax
      mov [rsi + 0x2000], eax
      mov edi, [rsi + 0x1004]
    `,
    turns: [(_, set) => set({ flags: 0 })],
    exits: `${turn}\n${slotLine("gpa=0x400000 size=0x3000")}`,
    state: "= rdi 0x77\n= mem 0x401d00 u64 0x7700000077\n= mem 0x402d00 u32 0x77",
  },
  "dirty-log-large": {
    flags: MEMORY_LOG_DIRTY_PAGES,
    size: 0x200000,
    large: true,
    code: `
      mov [rsi + 0x1000], eax
      mov edi, [rsi + 0x3000]
      mov [rsi + 0x1ff000], eax
      out 0x20, al
      mov [rsi + 0x3000], eax
      mov edi, [rsi + 0x1ff000]
      out 0x20, al
    `,
    turns: [log(0x200), log(0x200)],
    exits: `
      ${turn}
      > dirty-log 0x2 -> *
      ${turn}
      > dirty-log 0x2 -> [0x3]
    `,
    state: "= rdi 0x77\n= mem 0x401d00 u32 0x77\n= mem 0x403d00 u32 0x77\n= mem 0x5ffd00 u32 0x77",
  },
  "dirty-log-begins-large": {
    size: 0x200000,
    large: true,
    code: `
      mov [rsi + 0x1000], eax
      mov [rsi + 0x3000], eax
      out 0x20, al
      mov [rsi + 0x3000], eax
      mov edi, [rsi + 0x1000]
      out 0x20, al
      mov [rsi + 0x1000], eax
      out 0x20, al
    `,
    turns: [(_, set) => set({ flags: MEMORY_LOG_DIRTY_PAGES }), log(0x200), log(0x200)],
    exits: `
      ${turn}
      ${slotLine("gpa=0x400000 size=0x200000 flags=0x1")}
      ${turn}
      > dirty-log 0x2 -> [0x3]
      ${turn}
      > dirty-log 0x2 -> [0x1]
    `,
    state: "= rdi 0x77\n= mem 0x401d00 u32 0x77\n= mem 0x403d00 u32 0x77",
  },
  // What the walk sets in the tables is a write, too.
  "dirty-log-tables": {
    freshTables: true,
    code: `
      out 0x20, al
      mov edi, [rsi]
      out 0x20, al
      mov [rsi], eax
      out 0x20, al
      mov edi, [rsi]
    `,
    turns: [none, ({ vm }) => vm.memory.dirtyLog(1, 16), ({ vm }) => vm.memory.dirtyLog(1, 16)],
    exits: `
      ${turn}
      ${turn}
      > dirty-log 0x1 -> [0x0 0x4 0x5 0x6]
      ${turn}
      > dirty-log 0x1 -> [0x6]
    `,
    state: `
      = rdi 0x77
      = mem 0x400d00 u32 0x77
      = mem 0x100008 u64 0x104027
      = mem 0x104000 u64 0x105027
      = mem 0x105000 u64 0x106027
      = mem 0x106000 u64 0x400067
    `,
  },
};

/** The host changes a slot, or logs its writes, while a guest's guest uses it through nested tables. */
export default defineCases("nested-svm/nested-memory-slot", rows, (row) => ({
  spec: [
    "APM 2 15.25.3: nested paging operation",
    "KVM API 4.35: KVM_SET_USER_MEMORY_REGION",
    "KVM API 4.8: KVM_GET_DIRTY_LOG",
  ],
  mode: "long",
  requires: [...requiresNestedPaging, "KVM_CAP_READONLY_MEM"],
  machine: machineOfTested,
  registers: { rsi: BigInt(TESTED + 0xd00) },
  guest: asm`
    ${run}
    ${report}
    nested:
    ${row.code}
    mov eax, 0
    at:
    vmmcall
  `,
  drive: (context) => {
    const { vm, write, labels, run } = context;
    const fresh = row.freshTables ? 0x60n : 0n;
    const entry = BigInt(SLOT) | ALL;
    prepareTables(
      context,
      row.large ? { directory: entry | 0x80n } : {
        pml4: usual.pml4 & ~fresh,
        pointer: usual.pointer & ~fresh,
        directory: usual.directory & ~fresh,
        table: entry & ~fresh,
      },
      row.freshTables ? MEMORY_LOG_DIRTY_PAGES : 0,
    );
    const further = BigUint64Array.of(entry + 0x1000n, entry + 0x2000n);
    write(TABLE + 8, new Uint8Array(further.buffer));
    write(
      VMCB,
      vmcb({ rip: labels.get("nested")!, rax: 0x77n, second: 2, nestedCr3: BigInt(ROOT) }),
    );
    const size = row.size ?? 0x3000;
    const memory = vm.memory.map(size);
    memory.view.setUint32(0xd00, 0x11223344, true);
    const slot = { slot: 2, guestAddress: SLOT, size, memory, flags: row.flags ?? 0 };
    vm.memory.setSlot(slot);
    if (row.freshTables) vm.memory.dirtyLog(1, 16);
    for (const act of row.turns) {
      for (;;) {
        const exit = run();
        if (exit.reason === "pio" && exit.port === 0x20) break;
      }
      act(context, (change) => vm.memory.setSlot({ ...slot, ...change }));
    }
  },
  trace: ({ at }) => `
    ${row.freshTables ? `${prepared} flags=0x1` : prepared}
    > slot 0x2 gpa=0x400000 size=0x${(row.size ?? 0x3000).toString(16)} ${
    row.flags ? `flags=0x${row.flags.toString(16)}` : ""
  }
    ${row.freshTables ? "> dirty-log 0x1 -> *" : ""}
    ${row.exits}
    ${reported(0x81, 0n, 0n, at)}
    hlt
    = rflags 0x46
    ${row.state ?? ""}
    ${written}
  `,
}));
