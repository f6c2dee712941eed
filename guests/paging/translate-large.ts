import { asm, defineCases, type PageMapping, type PagingMode } from "../../mod.ts";

interface Row {
  readonly mode: PagingMode;
  readonly map: PageMapping;
  readonly address: bigint;
  readonly physical?: bigint;
}

const G = 0x40000000;
const at = (virtual: number, physical: number | bigint, pageSize: number, bits?: bigint) => ({
  virtual,
  physical,
  pageSize,
  size: pageSize,
  bits,
});

const rows: Record<string, Row> = {
  "long-4-kib": {
    mode: "long",
    map: at(0x40000000000, 0x12345000, 0x1000),
    address: 0x40000000fffn,
    physical: 0x12345fffn,
  },
  "long-2-mib": {
    mode: "long",
    map: at(0x40000000000, 0x7fe00000, 0x200000),
    address: 0x400001fabcdn,
    physical: 0x7fffabcdn,
  },
  "long-2-mib-above-4-gib": {
    mode: "long",
    map: at(0x40000000000, 0x7_4060_0000n, 0x200000),
    address: 0x4000013579bn,
    physical: 0x74073579bn,
  },
  // PAT is bit 12 there, and no part of the address.
  "long-2-mib-page-attribute": {
    mode: "long",
    map: at(0x40000000000, 0x40600000, 0x200000, 0x1000n),
    address: 0x40000001234n,
    physical: 0x40601234n,
  },
  "long-below": {
    mode: "long",
    map: at(0x40000200000, 0x40600000, 0x200000),
    address: 0x400001fffffn,
  },
  "long-above": {
    mode: "long",
    map: at(0x40000200000, 0x40600000, 0x200000),
    address: 0x40000400000n,
  },
  "long-upper-half": {
    mode: "long",
    map: { virtual: 0xffff800000000000n, physical: 0x5555000, size: 0x1000 },
    address: 0xffff800000000777n,
    physical: 0x5555777n,
  },
  "long-top": {
    mode: "long",
    map: { virtual: 0xfffffffffffff000n, physical: 0x6666000, size: 0x1000 },
    address: 0xffffffffffffffffn,
    physical: 0x6666fffn,
  },
  "pae-4-kib": {
    mode: "pae",
    map: at(G, 0x12345000, 0x1000),
    address: 0x40000abcn,
    physical: 0x12345abcn,
  },
  "pae-2-mib": {
    mode: "pae",
    map: at(G, 0x7fe00000, 0x200000),
    address: 0x401fabcdn,
    physical: 0x7fffabcdn,
  },
  "pae-above-4-gib": {
    mode: "pae",
    map: at(G, 0x7_4060_0000n, 0x200000),
    address: 0x4013579bn,
    physical: 0x74073579bn,
  },
  "paged-4-kib": {
    mode: "paged",
    map: at(G, 0x12345000, 0x1000),
    address: 0x40000abcn,
    physical: 0x12345abcn,
  },
  "paged-4-mib": {
    mode: "paged",
    map: at(G, 0x7fc00000, 0x400000),
    address: 0x403fabcdn,
    physical: 0x7fffabcdn,
  },
  // Bits 13 to 20 of the entry are bits 32 to 39 of the address.
  "paged-pse-36-bit-32": {
    mode: "paged",
    map: at(G, 0x80400000n, 0x400000, 0x2000n),
    address: 0x40012345n,
    physical: 0x180412345n,
  },
  "paged-pse-36-bit-35": {
    mode: "paged",
    map: at(G, 0x80400000n, 0x400000, 0x10000n),
    address: 0x40012345n,
    physical: 0x880412345n,
  },
  "paged-pse-36-all-four": {
    mode: "paged",
    map: at(G, 0x80400000n, 0x400000, 0x1e000n),
    address: 0x403fffffn,
    physical: 0xf807fffffn,
  },
};

/** KVM_TRANSLATE walks through pages of every size to the physical address behind them. */
export default defineCases(
  "paging/translate-large",
  rows,
  ({ mode, map, address, physical }, name) => ({
    spec: ["KVM API 4.15: KVM_TRANSLATE", "SDM 3A 4.3 to 4.5: linear-address translation"],
    mode,
    requires: name.startsWith("paged-pse") ? [{ cpuid: "PSE-36" }] : [],
    machine: { map: [map] },
    guest: asm`hlt`,
    drive({ vcpu, assertEquals }) {
      const { linear_address, physical_address, valid } = vcpu.translate(address);
      assertEquals("the address asked for", linear_address, address);
      assertEquals("valid", valid, physical === undefined ? 0 : 1);
      if (physical !== undefined) assertEquals("guest physical", physical_address, physical);
    },
    trace: `
      hlt
      ${mode === "pae" ? "= mem 0x10000 u8 *\n= mem 0x10008 u8 *" : ""}
    `,
  }),
);
