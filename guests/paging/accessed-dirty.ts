import { asm, defineCases, type PagingMode } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

/** By mode, the entry of linear address 0xc000, and its size in bits. */
const entries: Record<PagingMode, { entry: string; size: number }> = {
  paged: { entry: "0x11030", size: 32 },
  pae: { entry: "0x15060", size: 64 },
  long: { entry: "0x16060", size: 64 },
};

const accesses = {
  read: { instruction: "mov al, [0xc004]", entry: 0xc023n },
  write: { instruction: "mov [0xc008], al", entry: 0xc063n },
  modify: { instruction: "add byte [0xc008], 0x11", entry: 0xc063n },
  // A comparison reads.
  compare: { instruction: "cmp [0xc004], al", entry: 0xc023n },
  exchange: { instruction: "xchg [0xc008], cl", entry: 0xc063n },
  push: { instruction: "push dword_or_qword [0xc010]", entry: 0xc023n },
} as const;

const rows: Record<string, { mode: PagingMode; access: keyof typeof accesses }> = {};
for (const mode of ["paged", "pae", "long"] as const) {
  for (const access of Object.keys(accesses) as (keyof typeof accesses)[]) {
    rows[`${mode}-${access}`] = { mode, access };
  }
}

/** A read sets A in the entry of its page, a write D as well, and nothing else changes in it. */
export default defineCases("paging/accessed-dirty", inBothWays(rows), ({ row, way }) => {
  const { instruction, entry } = accesses[row.access];
  const { entry: at, size } = entries[row.mode];
  const state = {
    read: "= rax 0x99",
    write: "= mem 0xc008 u8 0x5a",
    modify: "= mem 0xc008 u8 0x88\n= rflags 0x886",
    compare: "= rflags 0x816",
    exchange: "= mem 0xc008 u8 0x0\n= rcx 0x77",
    push: row.mode === "long"
      ? "= rsp 0x7ff8\n= mem 0x7ff8 u64 0x0"
      : "= rsp 0x7ffc\n= mem 0x7ffc u32 0x0",
  }[row.access];
  return {
    spec: "SDM 3A 4.8: accessed and dirty flags",
    mode: row.mode,
    requires: way.requires,
    machine: {
      map: [{ virtual: 0xc000, physical: 0xc000, accessed: false, dirty: false }],
    },
    registers: { rax: row.access === "read" ? 0n : 0x5an },
    guest: asm`
      ${way.prefix}
      ${instruction.replace("dword_or_qword", row.mode === "long" ? "qword" : "dword")}
      hlt
    `,
    drive: ({ write }) => write(0xc000, Uint8Array.of(0, 0, 0, 0, 0x99, 0, 0, 0, 0x77)),
    trace: `
      hlt
      = mem ${at} u${size} 0x${entry.toString(16)}
      ${row.mode === "pae" ? "= mem 0x10000 u8 *" : ""}
      ${state}
    `,
  };
});
