import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { ways } from "../_ways.ts";

interface Row {
  instruction: string;
  /** Registers before: EAX, ECX. */
  eax?: number;
  ecx?: number;
  /** Which of the five pages the log must name. */
  log: string;
  /** What changes. */
  state: string;
}

const rows: Record<string, Row> = {
  mov: {
    instruction: "mov dword [0x101000], 0x11223344",
    log: "0x1",
    state: "= mem 0x101000 u32 0x11223344",
  },
  "mov-same-value": { instruction: "mov byte [0x101000], 0", log: "0x1", state: "" },
  "mov-across-pages": {
    instruction: "mov dword [0x101ffd], 0x11223344",
    log: "0x1 0x2",
    state: "= mem 0x101ffd u8 [0x44 0x33 0x22 0x11]",
  },
  not: {
    instruction: "not word [0x102ffe]",
    log: "0x2",
    state: "= mem 0x102ffe u16 0xffff",
  },
  read: { instruction: "or ecx, [0x102000]", log: "", state: "= rflags 0x46" },
  "locked-not": {
    instruction: "lock not dword [0x104ffc]",
    log: "0x4",
    state: "= mem 0x104ffc u32 0xffffffff",
  },
  "locked-across-pages": {
    instruction: "lock not dword [0x103ffe]",
    log: "0x3 0x4",
    state: "= mem 0x103ffe u32 0xffffffff",
  },
  exchange: {
    instruction: "xchg [0x103000], cl",
    ecx: 0x33,
    log: "0x3",
    state: "= rcx 0x0\n= mem 0x103000 u8 0x33",
  },
  "exchange-quadword": {
    instruction: "lock cmpxchg8b [0x100ff8]",
    ecx: 0x33,
    log: "0x0",
    state: "= rflags 0x42\n= mem 0x100ff8 u64 0x3300000000",
  },
  "cmpxchg-equal": {
    instruction: "lock cmpxchg [0x103000], ecx",
    ecx: 0x33,
    log: "0x3",
    state: "= rflags 0x46\n= mem 0x103000 u32 0x33",
  },
  // Its destination gets a write cycle whatever the result of the comparison (SDM 2A: CMPXCHG).
  "cmpxchg-unequal": {
    instruction: "lock cmpxchg [0x103000], cx",
    eax: 0x44,
    log: "0x3",
    state: "= rax 0x0\n= rflags 0x6",
  },
};

/** A page that KVM's instruction emulator wrote is in the dirty log, and no other. */
export default defineCases("memslot/dirty-log-emulated", rows, (row) => ({
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG"],
  mode: "protected",
  requires: ways["-forced"].requires,
  registers: { rax: BigInt(row.eax ?? 0), rcx: BigInt(row.ecx ?? 0) },
  guest: asm`
    ${ways["-forced"].prefix}
    ${row.instruction}
    hlt
  `,
  drive({ vm, run }) {
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.addRam(0x100000, 0x5000, { slot: 1, flags });
    run();
    vm.memory.dirtyLog(1, 5);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x5000 flags=0x1
    hlt
    > dirty-log 0x1 -> [${row.log}]
    ${row.state}
  `,
}));
