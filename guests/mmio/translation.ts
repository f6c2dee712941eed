import { asm, defineCases, type ModeName } from "../../mod.ts";

type Row = {
  mode: ModeName;
  map: { virtual: number | bigint; physical: number | bigint; size?: number; pageSize?: number }[];
  guest: string;
  trace: string;
  state?: string;
};

const rows: Record<string, Row> = {
  "4-kib-page": {
    mode: "long",
    map: [{ virtual: 0x30000, physical: 0xd5678000 }],
    guest: "mov [0x30123], dl",
    trace: "mmio write 0xd5678123 u8 0xd8",
  },
  "2-mib-page": {
    mode: "long",
    map: [{ virtual: 0x40000000, physical: 0xd0200000, pageSize: 0x200000 }],
    guest: "mov [0x40123456], dl",
    trace: "mmio write 0xd0323456 u8 0xd8",
  },
  "upper-half": {
    mode: "long",
    map: [{ virtual: 0xffff800000000000n, physical: 0xd0000000 }],
    guest: "mov rdi, 0xffff800000000040\nmov [rdi], dl",
    trace: "mmio write 0xd0000040 u8 0xd8",
    state: "= rdi 0xffff800000000040",
  },
  "paged-4-kib-page": {
    mode: "paged",
    map: [{ virtual: 0x30000, physical: 0xd5678000 }],
    guest: "mov [0x30123], dl",
    trace: "mmio write 0xd5678123 u8 0xd8",
  },
  "pae-4-kib-page": {
    mode: "pae",
    map: [{ virtual: 0x30000, physical: 0x1d5678000n }],
    guest: "mov [0x30123], dl",
    trace: "mmio write 0x1d5678123 u8 0xd8",
  },
  // Two pages in a row of linear addresses whose frames are not neighbours.
  "two-frames": {
    mode: "long",
    map: [
      { virtual: 0x30000, physical: 0xe0001000 },
      { virtual: 0x31000, physical: 0xd0000000 },
    ],
    guest: "mov [0x30ffe], edx",
    trace: "mmio write 0xe0001ffe u8 [0xd8 0xd7]\nmmio write 0xd0000000 u8 [0xd6 0xd5]",
  },
  // Two linear pages on one frame.
  alias: {
    mode: "long",
    map: [
      { virtual: 0x30000, physical: 0xd0000000 },
      { virtual: 0x31000, physical: 0xd0000000 },
    ],
    guest: "mov [0x30040], dl\nmov [0x31040], dx\nmov [0x31044], dl\nmov [0x30044], dx",
    trace: `
      mmio write 0xd0000040 u8 0xd8
      mmio write 0xd0000040 u16 0xd7d8
      mmio write 0xd0000044 u8 0xd8
      mmio write 0xd0000044 u16 0xd7d8
    `,
  },
  // Offsets in a page alike, pages not: nothing remembered of one may serve the other.
  alternate: {
    mode: "long",
    map: [
      { virtual: 0x30000, physical: 0xd0000000 },
      { virtual: 0x31000, physical: 0xe0000000 },
    ],
    guest: "mov [0x30040], dl\nmov [0x31040], dl\nmov [0x30040], dl\nmov [0xb040], dl",
    trace: `
      mmio write 0xd0000040 u8 0xd8
      mmio write 0xe0000040 u8 0xd8
      mmio write 0xd0000040 u8 0xd8
    `,
    state: "= mem 0xb040 u8 0xd8",
  },
};

/** The host sees physical addresses, as the guest's page tables say. */
export default defineCases("mmio/translation", rows, ({ mode, map, guest, trace, state = "" }) => ({
  spec: ["SDM 3A 4.3 to 4.5: paging", "KVM API 5: KVM_EXIT_MMIO (phys_addr)"],
  mode,
  machine: { map },
  registers: { rdx: mode === "long" ? 0xd1d2d3d4d5d6d7d8n : 0xd5d6d7d8n },
  guest: asm`
    ${guest}
    hlt
  `,
  trace: `
    ${trace}
    hlt
    ${state}
  `,
}));
