import { asm, defineCases } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

/** A vCPU that has just received a SIPI begins at its vector's page. */
export default defineCases(
  "state/sipi-received",
  { low: 0x01, middle: 0x9a, high: 0xff },
  (vector) => ({
    spec: [
      "KVM API 4.39: KVM_SET_MP_STATE (sipi-received: vector by KVM_GET_VCPU_EVENTS)",
      "KVM API 4.32: KVM_VCPUEVENT_VALID_SIPI_VECTOR",
      "SDM 3A 9.4.3: MP initialization protocol (SIPI vector)",
    ],
    mode: "real",
    requires: ["KVM_CAP_IRQCHIP", "KVM_CAP_MP_STATE", "KVM_CAP_VCPU_EVENTS"],
    guest: asm`hlt`,
    drive: ({ assertEquals }) => {
      using vm = freshVm({ note: () => {} });
      vm.irq.createIrqchip();
      vm.createVcpu();
      const vcpu = vm.createVcpu(1);
      assertEquals("uninitialized", vcpu.mpState(), 1);
      const events = vcpu.events();
      // KVM_VCPUEVENT_VALID_SIPI_VECTOR.
      vcpu.setEvents({ ...events, flags: events.flags | 2, sipi_vector: vector });
      vcpu.setMpState(4);
      assertEquals("runnable", vcpu.mpState(), 0);
      const { cs } = vcpu.sregs();
      assertEquals("CS", [cs.selector, cs.base], [vector << 8, BigInt(vector) << 12n]);
      assertEquals("RIP", vcpu.regs().rip, 0n);
    },
    trace: `hlt`,
  }),
);
