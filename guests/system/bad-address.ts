import {
  asm,
  type CapabilityName,
  defineCases,
  ioctl,
  type IoctlName,
  Kvm,
  type Requirement,
} from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** No process has memory there: Linux maps nothing in the last page of user addresses. */
const NOWHERE = 0x7fff_ffff_f000n;

interface Row {
  readonly on: "system" | "vm" | "vcpu";
  readonly names: readonly IoctlName[];
  readonly requires?: readonly (CapabilityName & Requirement)[];
  readonly irqchip?: "kernel";
}

const rows: Record<string, Row> = {
  system: {
    on: "system",
    names: [
      "KVM_GET_MSR_INDEX_LIST",
      "KVM_GET_SUPPORTED_CPUID",
      "KVM_GET_EMULATED_CPUID",
    ],
  },
  "system-features": {
    on: "system",
    requires: ["KVM_CAP_GET_MSR_FEATURES"],
    names: ["KVM_GET_MSR_FEATURE_INDEX_LIST", "KVM_GET_MSRS"],
  },
  "system-mce": {
    on: "system",
    requires: ["KVM_CAP_MCE"],
    names: ["KVM_X86_GET_MCE_CAP_SUPPORTED"],
  },
  "system-attributes": {
    on: "system",
    requires: ["KVM_CAP_SYS_ATTRIBUTES"],
    names: ["KVM_GET_DEVICE_ATTR", "KVM_HAS_DEVICE_ATTR"],
  },
  "vm-memory": {
    on: "vm",
    names: [
      "KVM_SET_USER_MEMORY_REGION",
      "KVM_GET_DIRTY_LOG",
      "KVM_ENABLE_CAP",
      "KVM_SET_CLOCK",
      "KVM_GET_CLOCK",
    ],
  },
  "vm-clear-dirty-log": {
    on: "vm",
    requires: ["KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2"],
    names: ["KVM_CLEAR_DIRTY_LOG"],
  },
  "vm-memory-2": {
    on: "vm",
    requires: ["KVM_CAP_USER_MEMORY2"],
    names: ["KVM_SET_USER_MEMORY_REGION2"],
  },
  "vm-events": {
    on: "vm",
    requires: ["KVM_CAP_COALESCED_MMIO", "KVM_CAP_IOEVENTFD"],
    names: ["KVM_REGISTER_COALESCED_MMIO", "KVM_UNREGISTER_COALESCED_MMIO", "KVM_IOEVENTFD"],
  },
  "vm-interrupts": {
    on: "vm",
    irqchip: "kernel",
    requires: ["KVM_CAP_IRQ_ROUTING", "KVM_CAP_IRQFD", "KVM_CAP_SIGNAL_MSI", "KVM_CAP_PIT2"],
    names: [
      "KVM_IRQ_LINE",
      "KVM_IRQ_LINE_STATUS",
      "KVM_GET_IRQCHIP",
      "KVM_SET_IRQCHIP",
      "KVM_CREATE_PIT2",
      "KVM_SET_PIT",
      "KVM_SET_PIT2",
      "KVM_REINJECT_CONTROL",
      "KVM_SET_GSI_ROUTING",
      "KVM_IRQFD",
      "KVM_SIGNAL_MSI",
    ],
  },
  "vm-filters": {
    on: "vm",
    requires: ["KVM_CAP_X86_MSR_FILTER"],
    names: ["KVM_X86_SET_MSR_FILTER"],
  },
  "vm-pmu-filter": {
    on: "vm",
    requires: ["KVM_CAP_PMU_EVENT_FILTER"],
    names: ["KVM_SET_PMU_EVENT_FILTER"],
  },
  "vm-device": { on: "vm", requires: ["KVM_CAP_DEVICE_CTRL"], names: ["KVM_CREATE_DEVICE"] },
  "vcpu-registers": {
    on: "vcpu",
    names: [
      "KVM_GET_REGS",
      "KVM_SET_REGS",
      "KVM_GET_SREGS",
      "KVM_SET_SREGS",
      "KVM_GET_FPU",
      "KVM_SET_FPU",
      "KVM_GET_MSRS",
      "KVM_SET_MSRS",
      "KVM_SET_CPUID2",
      "KVM_GET_CPUID2",
    ],
  },
  "vcpu-state": {
    on: "vcpu",
    requires: [
      "KVM_CAP_VCPU_EVENTS",
      "KVM_CAP_DEBUGREGS",
      "KVM_CAP_MP_STATE",
      "KVM_CAP_XSAVE",
      "KVM_CAP_XCRS",
    ],
    names: [
      "KVM_GET_VCPU_EVENTS",
      "KVM_SET_VCPU_EVENTS",
      "KVM_GET_DEBUGREGS",
      "KVM_SET_DEBUGREGS",
      "KVM_GET_MP_STATE",
      "KVM_SET_MP_STATE",
      "KVM_GET_XSAVE",
      "KVM_SET_XSAVE",
      "KVM_GET_XCRS",
      "KVM_SET_XCRS",
    ],
  },
  "vcpu-control": {
    on: "vcpu",
    requires: ["KVM_CAP_SET_GUEST_DEBUG"],
    names: ["KVM_INTERRUPT", "KVM_TRANSLATE", "KVM_SET_GUEST_DEBUG", "KVM_SET_SIGNAL_MASK"],
  },
};

/** A structure that cannot be read or written is EFAULT, and nothing has changed. */
export default defineCases("system/bad-address", rows, ({ on, names, requires, irqchip }) => ({
  spec: [
    "KVM API 4.3, 4.16, 4.18, 4.80, 4.143: EFAULT where the argument cannot be read or written",
    "arch/x86/kvm/x86.c, virt/kvm/kvm_main.c (6.1, 6.12): copy_from_user, copy_to_user",
  ],
  mode: "real",
  irqchip,
  requires,
  guest: asm`
    mov al, 0x41
    out 0x10, al
    cli
    out 0xf4, al
  `,
  drive({ vm, vcpu, assertEquals }) {
    using kvm = Kvm.open();
    const target = { system: kvm, vm, vcpu }[on];
    const answers = names.map((name) => [name, refusal(() => ioctl(target, name, NOWHERE))]);
    assertEquals("answers", answers, names.map((name) => [name, "EFAULT"]));
  },
  trace: `
    pio out 0x10 u8 0x41
    pio out 0xf4 u8 0x41
    = rax 0x41
  `,
}));
