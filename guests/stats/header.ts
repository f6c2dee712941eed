import { asm, defineCases } from "../../mod.ts";
import { open, type Owner } from "./_open.ts";

const rows: Record<Owner, Owner> = { vm: "vm", vcpu: "vcpu" };

/** Bytes of struct kvm_stats_header and struct kvm_stats_desc. */
const HEADER = 24;
const DESCRIPTOR = 16;

/** The four blocks of the file are aligned to 8 bytes and apart from each other. */
export default defineCases("stats/header", rows, (owner) => ({
  spec: ["KVM API 4.133: KVM_GET_STATS_FD, struct kvm_stats_header"],
  mode: "real",
  requires: ["KVM_CAP_BINARY_STATS_FD"],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    using statistics = open(context, owner);
    const { flags, name_size, num_desc, id_offset, desc_offset, data_offset } = statistics.header;
    assertEquals("flags", flags, 0);
    assertEquals("something is counted", num_desc > 0, true);
    assertEquals("room for names", name_size > 1, true);
    const values = statistics.descriptors.reduce((sum, { size }) => sum + size, 0);
    const blocks: [name: string, start: number, end: number][] = [
      ["header", 0, HEADER],
      ["id", id_offset, id_offset + name_size],
      ["descriptors", desc_offset, desc_offset + num_desc * (DESCRIPTOR + name_size)],
      ["data", data_offset, data_offset + 8 * values],
    ];
    assertEquals("offsets beyond multiples of 8", blocks.map(([, start]) => start % 8), [
      0,
      0,
      0,
      0,
    ]);
    blocks.sort(([, a], [, b]) => a - b);
    const overlaps = blocks.filter(([, start], index) => index > 0 && start < blocks[index - 1][2]);
    assertEquals("blocks that overlap the one before", overlaps, []);
    assertEquals("the id is there", statistics.id.length > 0, true);
    assertEquals("and ends within its room", statistics.id.length < name_size, true);
  },
  trace: `hlt`,
}));
