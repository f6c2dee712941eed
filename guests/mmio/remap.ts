import { asm, defineCases } from "../../mod.ts";

/** The entry of linear address 0x30000: the page table of the first 2 MiB is the seventh page. */
const ENTRY = 0x16180;

type Row = {
  /** What 0x30000 maps to first. */
  physical: number;
  /** What the guest writes over the entry: frame, D, A, R/W and P. */
  entry: bigint;
  flush: string;
  trace: string;
};

const rows: Record<string, Row> = {
  "device-to-device-invlpg": {
    physical: 0xd0000000,
    entry: 0xe0000063n,
    flush: "invlpg [0x30040]",
    trace: `
      mmio write 0xd0000040 u8 0xd8
      mmio write 0xd0000041 u8 0xd8
      mmio write 0xe0000040 u8 0xd8
      mmio read 0xe0000041 u8 -> 0x77
      hlt
      = rax 0x77
      = mem 0x16180 u64 0xe0000063
    `,
  },
  "device-to-device-mov-cr3": {
    physical: 0xd0000000,
    entry: 0xe0000063n,
    flush: "mov rbx, cr3\nmov cr3, rbx",
    trace: `
      mmio write 0xd0000040 u8 0xd8
      mmio write 0xd0000041 u8 0xd8
      mmio write 0xe0000040 u8 0xd8
      mmio read 0xe0000041 u8 -> 0x77
      hlt
      = rax 0x77
      = rbx 0x10000
      = mem 0x16180 u64 0xe0000063
    `,
  },
  "device-to-memory": {
    physical: 0xd0000000,
    entry: 0xb063n,
    flush: "invlpg [0x30040]",
    trace: `
      mmio write 0xd0000040 u8 0xd8
      mmio write 0xd0000041 u8 0xd8
      hlt
      = mem 0xb040 u8 0xd8
      = mem 0x16180 u64 0xb063
    `,
  },
  "memory-to-device": {
    physical: 0xb000,
    entry: 0xe0000063n,
    flush: "invlpg [0x30040]",
    trace: `
      mmio write 0xe0000040 u8 0xd8
      mmio read 0xe0000041 u8 -> 0x77
      hlt
      = rax 0x77
      = mem 0xb040 u8 [0xd8 0xd8]
      = mem 0x16180 u64 0xe0000063
    `,
  },
};

/** After a change of the page table and a flush the next access goes where the entry says now. */
export default defineCases("mmio/remap", rows, ({ physical, entry, flush, trace }) => ({
  spec: ["SDM 3A 4.10.4: invalidation of TLBs", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: { map: [{ virtual: 0x30000, physical }] },
  registers: { rdx: 0xd8n, rcx: entry },
  guest: asm`
    mov [0x30040], dl
    mov [0x30041], dl
    mov [${ENTRY}], rcx
    ${flush}
    mov [0x30040], dl
    mov al, [0x30041]
    hlt
  `,
  trace,
}));
