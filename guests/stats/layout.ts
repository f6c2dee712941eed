import { asm, defineCases } from "../../mod.ts";
import { open, type Owner } from "./_open.ts";

const rows: Record<Owner, Owner> = { vm: "vm", vcpu: "vcpu" };

/** Values lie in the order of their descriptors, without a gap, and no name comes twice. */
export default defineCases("stats/layout", rows, (owner) => ({
  spec: ["KVM API 4.133: the data block has 64-bit values in the order of the descriptors"],
  mode: "real",
  requires: ["KVM_CAP_BINARY_STATS_FD"],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    using statistics = open(context, owner);
    let offset = 0;
    const misplaced: string[] = [];
    for (const { name, offset: actual, size } of statistics.descriptors) {
      if (actual !== offset) misplaced.push(name);
      offset = actual + 8 * size;
    }
    assertEquals("misplaced", misplaced, []);
    const names = statistics.descriptors.map(({ name }) => name);
    assertEquals("names that come twice", names.length - new Set(names).size, 0);
    // All at once and one by one are the same: no one has run since.
    const all = statistics.read();
    const different = names.filter((name) =>
      String(all.get(name)) !== String(statistics.values(name))
    );
    assertEquals("values that differ", different, []);
    assertEquals("a name that is none", statistics.value("no_such_thing"), undefined);
  },
  trace: `hlt`,
}));
