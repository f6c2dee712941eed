import { asm, defineCases, type Irqchip } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

const rows: Record<string, { irqchip: Irqchip; address: bigint; answer: string }> = {
  "in-memory": { irqchip: "kernel", address: 0x9000n, answer: "none" },
  "none": { irqchip: "kernel", address: 0n, answer: "none" },
  // No slot is there.
  "nowhere": { irqchip: "kernel", address: 0x40000000n, answer: "EINVAL" },
  "without-local-apic": { irqchip: "none", address: 0x9000n, answer: "EINVAL" },
};

/** The word of the virtual APIC lies in the guest's memory, and needs a local APIC in the kernel. */
export default defineCases("system/vapic", rows, ({ irqchip, address, answer }) => ({
  spec: [
    "KVM API 3: KVM_CAP_VAPIC (KVM_SET_VAPIC_ADDR)",
    "arch/x86/kvm/lapic.c: kvm_lapic_set_vapic_addr (6.1, 6.12), where the document names no errno",
  ],
  mode: "real",
  irqchip,
  requires: ["KVM_CAP_VAPIC"],
  guest: asm`
    cli
    out 0xf4, al
  `,
  drive({ vm, vcpu, assertEquals }) {
    const { observer } = vm;
    vm.observer = undefined;
    const got = refusal(() => vcpu.setVapicAddress(address));
    vm.observer = observer;
    assertEquals("the answer", got, answer);
  },
  trace: `pio out 0xf4 u8 0x0`,
}));
