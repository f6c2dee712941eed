import { asm, defineCases } from "../../mod.ts";

const VALID_SIPI_VECTOR = 2;
const SIPI_RECEIVED = 4;

const rows = { "0x08": { vector: 0x08 }, "0x0a": { vector: 0x0a } };

/** A vCPU that has received a startup IPI starts where the vector says: at its page, IP 0. */
export default defineCases("state/startup-vector", rows, ({ vector }) => ({
  spec: [
    "KVM API 4.31: KVM_VCPUEVENT_VALID_SIPI_VECTOR",
    "KVM API 4.39: KVM_MP_STATE_SIPI_RECEIVED",
    "SDM 3A 9.4.3: MP initialization, SIPI vector",
  ],
  mode: "real",
  irqchip: "kernel",
  requires: ["KVM_CAP_MP_STATE", "KVM_CAP_VCPU_EVENTS"],
  guest: asm`
    mov al, 0x21
    out 0xf4, al
  `,
  drive({ vcpu, write, read }) {
    write(vector << 12, read(0x8000, 4));
    const events = vcpu.events();
    vcpu.setEvents({
      ...events,
      flags: events.flags | VALID_SIPI_VECTOR,
      sipi_vector: vector,
    });
    vcpu.setMpState(SIPI_RECEIVED);
  },
  trace: `
    > set-events
    > set-mp-state 0x4
    pio out 0xf4 u8 0x21
    = rax 0x21
    = cs.selector 0x${(vector << 8).toString(16)}
    = cs.base 0x${(vector << 12).toString(16)}
  `,
}));
