import { asm, type CaseDefinition, type DriveContext, type Vm } from "../../mod.ts";
import type { Destination } from "./_destinations.ts";
import { localApics, vectors } from "./_local_apics.ts";

/** What a case that sends one interrupt to several local APICs consists of, but for its clauses. */
export function acceptedCase(
  row: Destination,
  send: (vm: Vm, vector: number, context: DriveContext) => void,
): Omit<CaseDefinition, "id" | "spec"> {
  const { apics, accepted, level, lowest } = row;
  return {
    mode: "real",
    requires: [
      "KVM_CAP_IRQCHIP",
      "KVM_CAP_SIGNAL_MSI",
      { capability: "KVM_CAP_MAX_VCPUS", atLeast: 5 },
      { cpuid: "X2APIC" },
    ],
    guest: asm`hlt`,
    drive(context) {
      const { assertEquals } = context;
      const local = localApics(context, apics);
      using vm = local.vm;
      for (const vector of [0x51, 0x90, 0xf2]) {
        send(vm, vector, context);
        const [irr, tmr] = [0x200, 0x180].map((offset) =>
          apics.filter((_, index) => vectors(local.vcpus[index]!, offset).includes(vector))
            .map(({ vcpu }) => vcpu)
        );
        const expected = lowest ? irr!.filter((vcpu) => accepted.includes(vcpu)) : accepted;
        assertEquals(`vector 0x${vector.toString(16)}: accepted by`, irr, expected);
        if (lowest) assertEquals("how many accepted it", irr!.length, 1);
        assertEquals("level-triggered at", tmr, level ? expected : []);
        vm.irq.setLine(18, 0);
      }
      const total = local.vcpus.map((vcpu) => vectors(vcpu, 0x200).length);
      assertEquals(
        "no other vector",
        total.reduce((sum, count) => sum + count),
        3 * (
          lowest ? 1 : accepted.length
        ),
      );
    },
    trace: `hlt`,
  };
}
