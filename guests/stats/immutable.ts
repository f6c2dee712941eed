import { asm, defineCases } from "../../mod.ts";
import { open, type Owner } from "./_open.ts";

const rows: Record<Owner, Owner> = { vm: "vm", vcpu: "vcpu" };

/** Header, id and descriptors do not change while the guest runs; values of a fresh VM start at 0. */
export default defineCases("stats/immutable", rows, (owner) => ({
  spec: ["KVM API 4.133: all blocks except the data block are immutable"],
  mode: "real",
  requires: ["KVM_CAP_BINARY_STATS_FD"],
  guest: asm`
    out 0x10, al
    hlt
  `,
  drive(context) {
    const { assertEquals, run } = context;
    using before = open(context, owner);
    run();
    using after = open(context, owner);
    assertEquals("header", after.header, before.header);
    assertEquals("id", after.id, before.id);
    assertEquals("descriptors", after.descriptors, before.descriptors);
  },
  trace: `
    pio out 0x10 u8 0x0
    hlt
  `,
}));
