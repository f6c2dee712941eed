import { asm, defineCases, type ModeName } from "../../mod.ts";

type Row = { mode: ModeName; guest: string; trace: string; entry: string };

/** By mode, the entry of linear address 0x30000 as a memory line names it. */
const entries = { paged: "0x110c0 u32", pae: "0x15180 u64", long: "0x16180 u64" };

const rows: Record<string, Row> = {};
for (const mode of ["paged", "pae", "long"] as const) {
  rows[`${mode}-read`] = {
    mode,
    guest: "mov dl, [0x30040]",
    trace: "mmio read 0xd0000040 u8 -> 0xd8",
    entry: `${entries[mode]} 0xd0000023`,
  };
  rows[`${mode}-write`] = {
    mode,
    guest: "mov [0x30040], dl",
    trace: "mmio write 0xd0000040 u8 0xd8",
    entry: `${entries[mode]} 0xd0000063`,
  };
  rows[`${mode}-read-then-write`] = {
    mode,
    guest: "mov dl, [0x30040]\nmov dl, [0x30041]\nmov [0x30042], dl",
    trace: `
      mmio read 0xd0000040 u8 -> 0xd7
      mmio read 0xd0000041 u8 -> 0xd8
      mmio write 0xd0000042 u8 0xd8
    `,
    entry: `${entries[mode]} 0xd0000063`,
  };
  rows[`${mode}-exchange`] = {
    mode,
    guest: "xchg [0x30040], dl",
    trace: `
      mmio read 0xd0000040 u8 -> 0xd8
      mmio write 0xd0000040 u8 0xd8
    `,
    entry: `${entries[mode]} 0xd0000063`,
  };
}

/** An access to a device sets A in the entry that maps it, a write D as well. */
export default defineCases("mmio/accessed-dirty", rows, ({ mode, guest, trace, entry }) => ({
  spec: ["SDM 3A 4.8: accessed and dirty flags", "KVM API 5: KVM_EXIT_MMIO"],
  mode,
  machine: {
    map: [{ virtual: 0x30000, physical: 0xd0000000, accessed: false, dirty: false }],
  },
  registers: { rdx: 0xd8n },
  guest: asm`
    ${guest}
    hlt
  `,
  trace: `
    ${trace}
    hlt
    = mem ${entry}
  `,
}));
