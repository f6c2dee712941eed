/** The numbers of KVM's ioctls on x86, made of direction, number and the argument's size. @module */
import {
  kvm_clear_dirty_log,
  kvm_coalesced_mmio_zone,
  kvm_create_guest_memfd,
  kvm_dirty_log,
  kvm_enc_region,
  kvm_memory_attributes,
  kvm_pre_fault_memory,
  kvm_translation,
  kvm_userspace_memory_region,
  kvm_userspace_memory_region2,
} from "./memory.ts";
import {
  kvm_cpuid,
  kvm_cpuid2,
  kvm_debugregs,
  kvm_fpu,
  kvm_mp_state,
  kvm_msr_filter,
  kvm_msr_list,
  kvm_msrs,
  kvm_nested_state,
  kvm_one_reg,
  kvm_reg_list,
  kvm_regs,
  kvm_sregs,
  kvm_sregs2,
  kvm_vcpu_events,
  kvm_x86_mce,
  kvm_xcrs,
  kvm_xsave,
} from "./registers.ts";
import {
  kvm_clock_data,
  kvm_interrupt,
  kvm_ioeventfd,
  kvm_irq_level,
  kvm_irq_routing,
  kvm_irq_routing_xen_evtchn,
  kvm_irqchip,
  kvm_irqfd,
  kvm_lapic_state,
  kvm_msi,
  kvm_pit_config,
  kvm_pit_state,
  kvm_pit_state2,
  kvm_tpr_access_ctl,
  kvm_vapic_addr,
} from "./interrupts.ts";
import {
  kvm_create_device,
  kvm_device_attr,
  kvm_enable_cap,
  kvm_guest_debug,
  kvm_hyperv_eventfd,
  kvm_pmu_event_filter,
  kvm_signal_mask,
  kvm_xen_hvm_attr,
  kvm_xen_hvm_config,
  kvm_xen_vcpu_attr,
} from "./control.ts";

/** KVM's ioctl type byte. */
const KVMIO = 0xae;

/** An argument that is one 64-bit integer. */
const u64 = { size: 8 } as const;

/** Bits 31:30 direction (1 write, 2 read), 29:16 size in bytes, 15:8 type, 7:0 number. */
function encodeNumber(direction: number, number: number, size: number): number {
  return direction * 2 ** 30 + size * 2 ** 16 + KVMIO * 2 ** 8 + number;
}

function io(number: number): number {
  return encodeNumber(0, number, 0);
}

function ior(number: number, argument: { readonly size: number }): number {
  return encodeNumber(2, number, argument.size);
}

function iow(number: number, argument: { readonly size: number }): number {
  return encodeNumber(1, number, argument.size);
}

function iowr(number: number, argument: { readonly size: number }): number {
  return encodeNumber(3, number, argument.size);
}

/** Every ioctl of KVM on x86 by its C name, as an unsigned 32-bit number. */
export const ioctls = {
  // /dev/kvm
  KVM_GET_API_VERSION: io(0x00),
  KVM_CREATE_VM: io(0x01),
  KVM_GET_MSR_INDEX_LIST: iowr(0x02, kvm_msr_list),
  KVM_CHECK_EXTENSION: io(0x03),
  KVM_GET_VCPU_MMAP_SIZE: io(0x04),
  KVM_GET_SUPPORTED_CPUID: iowr(0x05, kvm_cpuid2),
  KVM_GET_EMULATED_CPUID: iowr(0x09, kvm_cpuid2),
  KVM_GET_MSR_FEATURE_INDEX_LIST: iowr(0x0a, kvm_msr_list),
  KVM_X86_GET_MCE_CAP_SUPPORTED: ior(0x9d, u64),
  KVM_GET_SUPPORTED_HV_CPUID: iowr(0xc1, kvm_cpuid2),

  // A VM: memory
  KVM_GET_DIRTY_LOG: iow(0x42, kvm_dirty_log),
  KVM_SET_NR_MMU_PAGES: io(0x44),
  KVM_GET_NR_MMU_PAGES: io(0x45),
  KVM_SET_USER_MEMORY_REGION: iow(0x46, kvm_userspace_memory_region),
  KVM_SET_TSS_ADDR: io(0x47),
  KVM_SET_IDENTITY_MAP_ADDR: iow(0x48, u64),
  KVM_SET_USER_MEMORY_REGION2: iow(0x49, kvm_userspace_memory_region2),
  KVM_REGISTER_COALESCED_MMIO: iow(0x67, kvm_coalesced_mmio_zone),
  KVM_UNREGISTER_COALESCED_MMIO: iow(0x68, kvm_coalesced_mmio_zone),
  KVM_MEMORY_ENCRYPT_OP: iowr(0xba, u64),
  KVM_MEMORY_ENCRYPT_REG_REGION: ior(0xbb, kvm_enc_region),
  KVM_MEMORY_ENCRYPT_UNREG_REGION: ior(0xbc, kvm_enc_region),
  KVM_CLEAR_DIRTY_LOG: iowr(0xc0, kvm_clear_dirty_log),
  KVM_RESET_DIRTY_RINGS: io(0xc7),
  KVM_SET_MEMORY_ATTRIBUTES: iow(0xd2, kvm_memory_attributes),
  KVM_CREATE_GUEST_MEMFD: iowr(0xd4, kvm_create_guest_memfd),

  // A VM: interrupts and timers
  KVM_CREATE_IRQCHIP: io(0x60),
  KVM_IRQ_LINE: iow(0x61, kvm_irq_level),
  KVM_GET_IRQCHIP: iowr(0x62, kvm_irqchip),
  KVM_SET_IRQCHIP: ior(0x63, kvm_irqchip),
  KVM_CREATE_PIT: io(0x64),
  KVM_GET_PIT: iowr(0x65, kvm_pit_state),
  KVM_SET_PIT: ior(0x66, kvm_pit_state),
  KVM_IRQ_LINE_STATUS: iowr(0x67, kvm_irq_level),
  KVM_SET_GSI_ROUTING: iow(0x6a, kvm_irq_routing),
  KVM_REINJECT_CONTROL: io(0x71),
  KVM_IRQFD: iow(0x76, kvm_irqfd),
  KVM_CREATE_PIT2: iow(0x77, kvm_pit_config),
  KVM_IOEVENTFD: iow(0x79, kvm_ioeventfd),
  KVM_SET_CLOCK: iow(0x7b, kvm_clock_data),
  KVM_GET_CLOCK: ior(0x7c, kvm_clock_data),
  KVM_GET_PIT2: ior(0x9f, kvm_pit_state2),
  KVM_SET_PIT2: iow(0xa0, kvm_pit_state2),
  KVM_SIGNAL_MSI: iow(0xa5, kvm_msi),

  // A VM: the rest
  KVM_CREATE_VCPU: io(0x41),
  KVM_SET_BOOT_CPU_ID: io(0x78),
  KVM_XEN_HVM_CONFIG: iow(0x7a, kvm_xen_hvm_config),
  KVM_SET_PMU_EVENT_FILTER: iow(0xb2, kvm_pmu_event_filter),
  KVM_HYPERV_EVENTFD: iow(0xbd, kvm_hyperv_eventfd),
  KVM_X86_SET_MSR_FILTER: iow(0xc6, kvm_msr_filter),
  KVM_XEN_HVM_GET_ATTR: iowr(0xc8, kvm_xen_hvm_attr),
  KVM_XEN_HVM_SET_ATTR: iow(0xc9, kvm_xen_hvm_attr),
  KVM_XEN_HVM_EVTCHN_SEND: iow(0xd0, kvm_irq_routing_xen_evtchn),
  KVM_CREATE_DEVICE: iowr(0xe0, kvm_create_device),

  // A vCPU: running
  KVM_RUN: io(0x80),
  KVM_TRANSLATE: iowr(0x85, kvm_translation),
  KVM_INTERRUPT: iow(0x86, kvm_interrupt),
  KVM_SET_SIGNAL_MASK: iow(0x8b, kvm_signal_mask),
  KVM_NMI: io(0x9a),
  KVM_SET_GUEST_DEBUG: iow(0x9b, kvm_guest_debug),
  KVM_KVMCLOCK_CTRL: io(0xad),
  KVM_SMI: io(0xb7),
  KVM_PRE_FAULT_MEMORY: iowr(0xd5, kvm_pre_fault_memory),

  // A vCPU: state
  KVM_GET_REGS: ior(0x81, kvm_regs),
  KVM_SET_REGS: iow(0x82, kvm_regs),
  KVM_GET_SREGS: ior(0x83, kvm_sregs),
  KVM_SET_SREGS: iow(0x84, kvm_sregs),
  KVM_SET_CPUID: iow(0x8a, kvm_cpuid),
  KVM_GET_FPU: ior(0x8c, kvm_fpu),
  KVM_SET_FPU: iow(0x8d, kvm_fpu),
  KVM_GET_LAPIC: ior(0x8e, kvm_lapic_state),
  KVM_SET_LAPIC: iow(0x8f, kvm_lapic_state),
  KVM_SET_CPUID2: iow(0x90, kvm_cpuid2),
  KVM_GET_CPUID2: iowr(0x91, kvm_cpuid2),
  KVM_TPR_ACCESS_REPORTING: iowr(0x92, kvm_tpr_access_ctl),
  KVM_SET_VAPIC_ADDR: iow(0x93, kvm_vapic_addr),
  KVM_GET_MP_STATE: ior(0x98, kvm_mp_state),
  KVM_SET_MP_STATE: iow(0x99, kvm_mp_state),
  KVM_X86_SETUP_MCE: iow(0x9c, u64),
  KVM_X86_SET_MCE: iow(0x9e, kvm_x86_mce),
  KVM_GET_VCPU_EVENTS: ior(0x9f, kvm_vcpu_events),
  KVM_SET_VCPU_EVENTS: iow(0xa0, kvm_vcpu_events),
  KVM_GET_DEBUGREGS: ior(0xa1, kvm_debugregs),
  KVM_SET_DEBUGREGS: iow(0xa2, kvm_debugregs),
  KVM_GET_XSAVE: ior(0xa4, kvm_xsave),
  KVM_SET_XSAVE: iow(0xa5, kvm_xsave),
  KVM_GET_XCRS: ior(0xa6, kvm_xcrs),
  KVM_SET_XCRS: iow(0xa7, kvm_xcrs),
  KVM_GET_ONE_REG: iow(0xab, kvm_one_reg),
  KVM_SET_ONE_REG: iow(0xac, kvm_one_reg),
  KVM_GET_REG_LIST: iowr(0xb0, kvm_reg_list),
  KVM_GET_NESTED_STATE: iowr(0xbe, kvm_nested_state),
  KVM_SET_NESTED_STATE: iow(0xbf, kvm_nested_state),
  KVM_XEN_VCPU_GET_ATTR: iowr(0xca, kvm_xen_vcpu_attr),
  KVM_XEN_VCPU_SET_ATTR: iow(0xcb, kvm_xen_vcpu_attr),
  KVM_GET_SREGS2: ior(0xcc, kvm_sregs2),
  KVM_SET_SREGS2: iow(0xcd, kvm_sregs2),
  KVM_GET_XSAVE2: ior(0xcf, kvm_xsave),

  // More than one kind of fd
  KVM_GET_MSRS: iowr(0x88, kvm_msrs), // /dev/kvm, vCPU
  KVM_SET_MSRS: iow(0x89, kvm_msrs),
  KVM_SET_TSC_KHZ: io(0xa2), // VM, vCPU
  KVM_GET_TSC_KHZ: io(0xa3),
  KVM_ENABLE_CAP: iow(0xa3, kvm_enable_cap),
  KVM_GET_STATS_FD: io(0xce),
  KVM_SET_DEVICE_ATTR: iow(0xe1, kvm_device_attr), // device, vCPU, and /dev/kvm for the other two
  KVM_GET_DEVICE_ATTR: iow(0xe2, kvm_device_attr),
  KVM_HAS_DEVICE_ATTR: iow(0xe3, kvm_device_attr),
} as const;

/** The C name of one of KVM's ioctls. */
export type IoctlName = keyof typeof ioctls;
