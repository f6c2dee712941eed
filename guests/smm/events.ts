import { asm, defineCases, type VcpuEvents } from "../../mod.ts";
import { requires } from "./_smram.ts";

type Smi = VcpuEvents["smi"];

/** KVM_VCPUEVENT_VALID_SMM. */
const VALID_SMM = 0x8;

const rows: Record<string, { set: Partial<Smi>; keeps: Partial<Smi>; irqchip: "kernel" | "none" }> =
  {
    "in-smm": { irqchip: "kernel", set: { smm: 1 }, keeps: { smm: 1 } },
    "in-smm-inside-nmi": {
      irqchip: "kernel",
      set: { smm: 1, smm_inside_nmi: 1 },
      keeps: { smm: 1, smm_inside_nmi: 1 },
    },
    // Outside SMM it says nothing.
    "inside-nmi-alone": { irqchip: "kernel", set: { smm_inside_nmi: 1 }, keeps: {} },
    pending: { irqchip: "kernel", set: { pending: 1 }, keeps: { pending: 1 } },
    "pending-in-smm": {
      irqchip: "kernel",
      set: { smm: 1, pending: 1 },
      keeps: { smm: 1, pending: 1 },
    },
    "latched-init": {
      irqchip: "kernel",
      set: { smm: 1, latched_init: 1 },
      keeps: { smm: 1, latched_init: 1 },
    },
    "in-smm-without-apic": { irqchip: "none", set: { smm: 1 }, keeps: { smm: 1 } },
    // Without a local APIC in the kernel nothing latches it.
    "latched-init-without-apic": {
      irqchip: "none",
      set: { smm: 1, latched_init: 1 },
      keeps: { smm: 1 },
    },
  };

/** KVM_SET_VCPU_EVENTS moves a vCPU into SMM and out of it, with what waits there. */
export default defineCases("smm/events", rows, ({ set, keeps, irqchip }) => ({
  spec: ["KVM API 4.31: KVM_GET_VCPU_EVENTS", "KVM API 4.32: KVM_SET_VCPU_EVENTS, smi"],
  mode: "long",
  irqchip,
  requires: [...requires, "KVM_CAP_VCPU_EVENTS"],
  guest: asm`
    mov al, 0x21
    out 0xf4, al
  `,
  drive({ vcpu, assertEquals }) {
    const before = vcpu.events();
    const nothing: Smi = { smm: 0, pending: 0, smm_inside_nmi: 0, latched_init: 0 };
    assertEquals("no SMM", before.smi, nothing);
    // Without the flag the host says nothing of SMM.
    vcpu.setEvents({ ...before, flags: before.flags & ~VALID_SMM, smi: { ...nothing, ...set } });
    assertEquals("SMM without the flag", vcpu.events().smi, nothing);
    vcpu.setEvents({ ...before, flags: before.flags | VALID_SMM, smi: { ...nothing, ...set } });
    assertEquals("SMM", vcpu.events().smi, { ...nothing, ...keeps });
    vcpu.setEvents({ ...before, flags: before.flags | VALID_SMM, smi: nothing });
    assertEquals("out of SMM", vcpu.events().smi, nothing);
  },
  trace: `
    > set-events
    > set-events
    > set-events
    pio out 0xf4 u8 0x21
    = rax 0x21
  `,
}));
