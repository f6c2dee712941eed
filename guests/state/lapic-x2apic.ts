import { asm, defineCases } from "../../mod.ts";
import { refusal } from "../_fresh.ts";
import { localApics } from "../apic/_local_apics.ts";

const rows = {
  // The id stands in bits 31 to 24 unless KVM_X2APIC_API_USE_32BIT_IDS is on.
  "id-5": { vcpu: 5, flags: 0, id: 0x05000000, logical: 0x20 },
  "id-5-of-32-bits": { vcpu: 5, flags: 1, id: 5, logical: 0x20 },
  "id-16-of-32-bits": { vcpu: 16, flags: 1, id: 16, logical: 0x10001 },
  "id-300": { vcpu: 300, flags: 0, id: 0x2c000000, logical: 0x121000 },
  "id-300-of-32-bits": { vcpu: 300, flags: 1, id: 300, logical: 0x121000 },
  "id-4095-of-32-bits": { vcpu: 4095, flags: 1, id: 4095, logical: 0xff8000 },
};

/** KVM_GET_LAPIC and KVM_SET_LAPIC in x2APIC mode: the id is read-only, and the LDR follows it. */
export default defineCases("state/lapic-x2apic", rows, ({ vcpu: number, flags, id, logical }) => ({
  spec: [
    "KVM API 4.57: KVM_GET_LAPIC",
    "KVM API 4.58: KVM_SET_LAPIC (KVM_X2APIC_API_USE_32BIT_IDS)",
    "SDM 3A 10.12.10.2: deriving logical x2APIC ID from the local x2APIC ID",
  ],
  mode: "real",
  requires: [
    "KVM_CAP_IRQCHIP",
    "KVM_CAP_X2APIC_API",
    { capability: "KVM_CAP_MAX_VCPU_ID", atLeast: 4096 },
    // Kernels before the one that has this take the LDR that they are given.
    "KVM_CAP_X86_GUEST_MODE",
    { cpuid: "X2APIC" },
  ],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    const local = localApics(context, [{ vcpu: number, mode: "x2apic" }], flags);
    using _vm = local.vm;
    const vcpu = local.vcpus[0]!;
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    const register = (offset: number) => new DataView(vcpu.lapic().buffer).getUint32(offset, true);
    assertEquals("id", view.getUint32(0x20, true), id);
    assertEquals("LDR", view.getUint32(0xd0, true), logical);
    // The command register's halves stay apart.
    view.setUint32(0xf0, 0x1ff, true);
    view.setUint32(0x300, 0x000c4021, true);
    view.setUint32(0x310, 0x12345678, true);
    view.setUint32(0xd0, 0xff, true);
    vcpu.setLapic(page);
    assertEquals("id as before", register(0x20), id);
    assertEquals("LDR as before", register(0xd0), logical);
    assertEquals("command", register(0x300), 0x000c4021);
    assertEquals("its upper half", register(0x310), 0x12345678);
    assertEquals("SVR", register(0xf0), 0x1ff);
    // Another id is refused where all of its bits are there, and else ignored.
    view.setUint32(0x20, flags ? id + 1 : id ^ 0x01000000, true);
    view.setUint32(0x80, 0x30, true);
    const answer = refusal(() => vcpu.setLapic(page));
    assertEquals("the answer to another id", answer, flags ? "EINVAL" : "none");
    assertEquals("the id then", register(0x20), id);
    assertEquals("TPR then", register(0x80), flags ? 0 : 0x30);
  },
  trace: `hlt`,
}));
