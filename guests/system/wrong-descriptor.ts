import { asm, defineCases, EventFd, ioctl, type IoctlName, Kvm } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** Ioctls that one kind of descriptor has and no other, with the type of each in the document. */
const ofSystem: readonly IoctlName[] = [
  "KVM_GET_API_VERSION",
  "KVM_CREATE_VM",
  "KVM_GET_MSR_INDEX_LIST",
  "KVM_GET_MSR_FEATURE_INDEX_LIST",
  "KVM_GET_VCPU_MMAP_SIZE",
  "KVM_GET_SUPPORTED_CPUID",
  "KVM_GET_EMULATED_CPUID",
];
const ofVm: readonly IoctlName[] = [
  "KVM_CREATE_VCPU",
  "KVM_GET_DIRTY_LOG",
  "KVM_SET_USER_MEMORY_REGION",
  "KVM_CREATE_IRQCHIP",
  "KVM_IRQ_LINE",
  "KVM_GET_IRQCHIP",
  "KVM_SET_IRQCHIP",
  "KVM_CREATE_PIT2",
  "KVM_SET_GSI_ROUTING",
  "KVM_SIGNAL_MSI",
  "KVM_IRQFD",
  "KVM_IOEVENTFD",
  "KVM_SET_BOOT_CPU_ID",
  "KVM_SET_IDENTITY_MAP_ADDR",
  "KVM_SET_TSS_ADDR",
  "KVM_GET_CLOCK",
  "KVM_SET_CLOCK",
  "KVM_X86_SET_MSR_FILTER",
  "KVM_SET_PMU_EVENT_FILTER",
  "KVM_CREATE_DEVICE",
  "KVM_RESET_DIRTY_RINGS",
];
const ofVcpu: readonly IoctlName[] = [
  "KVM_RUN",
  "KVM_GET_REGS",
  "KVM_SET_REGS",
  "KVM_GET_SREGS",
  "KVM_SET_SREGS",
  "KVM_TRANSLATE",
  "KVM_INTERRUPT",
  "KVM_SET_CPUID2",
  "KVM_GET_CPUID2",
  "KVM_SET_SIGNAL_MASK",
  "KVM_GET_FPU",
  "KVM_GET_LAPIC",
  "KVM_GET_MP_STATE",
  "KVM_GET_VCPU_EVENTS",
  "KVM_GET_DEBUGREGS",
  "KVM_GET_XSAVE",
  "KVM_GET_XCRS",
  "KVM_NMI",
  "KVM_SET_GUEST_DEBUG",
  "KVM_SET_MSRS",
  "KVM_X86_SETUP_MCE",
];

const rows = {
  "vm-on-system": { on: "system", names: ofVm },
  "vcpu-on-system": { on: "system", names: ofVcpu },
  "system-on-vm": { on: "vm", names: ofSystem },
  "vcpu-on-vm": { on: "vm", names: ofVcpu },
  "system-on-vcpu": { on: "vcpu", names: ofSystem },
  "vm-on-vcpu": { on: "vcpu", names: ofVm },
  // An eventfd knows no ioctl at all.
  "all-on-eventfd": { on: "eventfd", names: [...ofSystem, ...ofVm, ...ofVcpu] },
} as const;

/** A descriptor refuses the ioctls of another kind, whatever their argument, and does nothing. */
export default defineCases("system/wrong-descriptor", rows, ({ on, names }) => ({
  spec: [
    "KVM API 2: ioctls are of the system, of VMs or of vCPUs",
    "KVM API 4 (Type, and -ENOTTY where an ioctl is not supported)",
    "virt/kvm/kvm_main.c, arch/x86/kvm/x86.c (6.1, 6.12): EINVAL for the system and vCPUs",
  ],
  mode: "real",
  guest: asm`
    mov al, 0x41
    out 0x10, al
    hlt
  `,
  drive({ vm, vcpu, assertEquals }) {
    using kvm = Kvm.open();
    using event = new EventFd();
    const target = { system: kvm, vm, vcpu, eventfd: event }[on];
    const expected = on === "vm" || on === "eventfd" ? "ENOTTY" : "EINVAL";
    const answers = names.map((name) => [
      name,
      // More room than any of them reads or writes.
      refusal(() => ioctl(target, name, new Uint8Array(0x2000))),
    ]);
    assertEquals(`ioctls on ${on}`, answers, names.map((name) => [name, expected]));
  },
  trace: `
    pio out 0x10 u8 0x41
    hlt
    = rax 0x41
  `,
}));
