import { asm, defineCases, type ModeName } from "../../mod.ts";

interface Row {
  readonly mode: ModeName;
  readonly address: bigint;
  /** Guest physical, where there is a translation. */
  readonly physical?: bigint;
}

const rows: Record<string, Row> = {
  "paging-off": { mode: "protected", address: 0x12345n, physical: 0x12345n },
  "identity": { mode: "long", address: 0x8123n, physical: 0x8123n },
  "large": { mode: "long", address: 0xd0000678n, physical: 0xd0000678n },
  "not-present": { mode: "long", address: 0x7f0000000000n },
  "mapped": { mode: "long", address: 0x40000000123n, physical: 0x9123n },
};

/** KVM_TRANSLATE walks the guest's page tables as they are. */
export default defineCases("state/translate", rows, ({ mode, address, physical }) => ({
  spec: ["KVM API 4.15: KVM_TRANSLATE", "SDM 3A 4.5: 4-level paging"],
  mode,
  machine: mode === "long"
    ? { map: [{ virtual: 0x40000000000, physical: 0x9000, size: 0x1000 }] }
    : {},
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const { linear_address, physical_address, valid } = vcpu.translate(address);
    assertEquals("the address asked for", linear_address, address);
    assertEquals("valid", valid, physical === undefined ? 0 : 1);
    if (physical !== undefined) assertEquals("guest physical", physical_address, physical);
  },
  trace: "hlt",
}));
