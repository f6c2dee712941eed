import { asm, defineCases } from "../../mod.ts";
import { open, type Owner } from "./_open.ts";

const rows: Record<Owner, Owner> = { vm: "vm", vcpu: "vcpu" };

/** Cumulative counts and peaks never go back; booleans are 0 or 1. */
export default defineCases("stats/monotone", rows, (owner) => ({
  spec: [
    "KVM API 4.133: KVM_STATS_TYPE_CUMULATIVE, KVM_STATS_TYPE_PEAK (can only be increased)",
    "KVM API 4.133: KVM_STATS_UNIT_BOOLEAN (always 0 or 1)",
  ],
  mode: "long",
  withoutLens: { restore: "statistics are of the VM that is destroyed" },
  requires: ["KVM_CAP_BINARY_STATS_FD"],
  registers: { rdi: 0xd0000000n },
  guest: asm`
    mov [rdi], al
    out 0x10, al
    mov [0x9000], al
    hlt
  `,
  drive(context) {
    const { assertEquals, run } = context;
    using statistics = open(context, owner);
    const rising = statistics.descriptors.filter(({ type }) =>
      type === "cumulative" || type === "peak"
    );
    const booleans = statistics.descriptors.filter(({ unit, type }) =>
      unit === "boolean" && !String(type).endsWith("histogram")
    );
    let before = statistics.read();
    for (let exit = 0; exit < 3; exit++) {
      run();
      const now = statistics.read();
      const back = rising.filter(({ name }) => now.get(name)![0] < before.get(name)![0]);
      assertEquals("what went back", back.map(({ name }) => name), []);
      const neither = booleans.filter(({ name }) => now.get(name)![0] > 1n);
      assertEquals("booleans that are neither", neither.map(({ name }) => name), []);
      before = now;
    }
  },
  trace: `
    mmio write 0xd0000000 u8 0x0
    pio out 0x10 u8 0x0
    hlt
  `,
}));
