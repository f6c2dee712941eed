import type { IoctlName } from "../../ffi/abi/ioctls.ts";

/** What KVM's API document, or the meaning of the errno itself, gives as the cause of a failure. */
export const causes: Partial<Record<IoctlName, Readonly<Record<string, string>>>> = {
  KVM_CREATE_VM: {
    ENOMEM: "the host is out of memory",
    EINVAL: "this host's KVM does not have that type of VM",
    EBUSY: "another hypervisor holds the virtualization extension of this CPU",
  },
  KVM_CREATE_VCPU: {
    EEXIST: "a vCPU with that id exists",
    EINVAL: "the vCPU id is out of range (KVM_CAP_MAX_VCPU_ID) or too many vCPUs were made",
  },
  KVM_RUN: {
    EINTR: "an unmasked signal is pending",
    EFAULT: "guest memory is backed by host memory that is not mapped",
    ENOEXEC: "the vCPU is not initialized",
    EAGAIN: "the vCPU's multiprocessing state was changed while it was entered",
  },
  KVM_SET_USER_MEMORY_REGION: {
    EEXIST: "the slot overlaps another one in guest physical addresses",
    EINVAL:
      "the slot number, flags, size or an alignment is invalid, or a slot's size or host address changes",
    ENOENT: "no slot of that number is there to delete",
  },
  KVM_INTERRUPT: {
    EEXIST: "an interrupt is already enqueued",
    EINVAL: "the vector is above 255",
    ENXIO: "the interrupt controller is in the kernel",
    EFAULT: "the argument cannot be read",
  },
  KVM_CREATE_IRQCHIP: {
    EEXIST: "the VM has an interrupt controller",
    EINVAL: "a vCPU exists already: the interrupt controller has to be made first",
  },
  KVM_CREATE_PIT2: {
    EEXIST: "the VM has a PIT",
    ENOENT: "the VM has no in-kernel interrupt controller",
  },
  KVM_IRQ_LINE: { ENXIO: "the VM has no in-kernel interrupt controller" },
  KVM_GET_DIRTY_LOG: {
    ENOENT: "the slot does not exist or does not log dirty pages",
    EINVAL: "the slot number is out of range",
    ENXIO: "the VM uses the dirty ring instead of the bitmap",
  },
  KVM_SET_CPUID2: {
    E2BIG: "there are too many entries",
    EINVAL: "a leaf changes after the vCPU has run, or asks for what KVM does not support",
  },
  KVM_SET_SREGS: { EINVAL: "the control registers, EFER or a segment contradict each other" },
  KVM_SET_SREGS2: {
    EINVAL: "the control registers, EFER or a segment contradict each other, or flags are unknown",
  },
  KVM_GET_LAPIC: { EINVAL: "the local APIC is not in the kernel" },
  KVM_SET_LAPIC: {
    EINVAL: "the local APIC is not in the kernel, or is given another id in x2APIC mode",
  },
  KVM_SET_XSAVE: {
    EINVAL: "the header names a component that the vCPU cannot have, or a reserved bit is set",
  },
  KVM_SET_XCRS: { EINVAL: "XSETBV would refuse the value" },
  KVM_SET_MP_STATE: {
    EINVAL: "it is no state of x86, or one that needs a local APIC in the kernel",
  },
  KVM_SET_DEBUGREGS: { EINVAL: "flags, or the upper half of DR6 or DR7, are not 0" },
  KVM_SET_VCPU_EVENTS: {
    EINVAL: "flags are unknown or their capability is not enabled, or a vector is no exception",
  },
  KVM_SET_GUEST_DEBUG: { EBUSY: "an exception waits already" },
  KVM_X86_SETUP_MCE: { EINVAL: "the number of banks is invalid, or a capability is not supported" },
  KVM_X86_SET_MCE: { EINVAL: "there is no such bank, or the status is not marked valid" },
  KVM_KVMCLOCK_CTRL: { EINVAL: "the guest uses no kvmclock" },
  KVM_GET_NESTED_STATE: { EINVAL: "this host has no nested virtualization" },
  KVM_SET_NESTED_STATE: {
    EINVAL: "the state contradicts itself or the vCPU, or there is no nested virtualization",
  },
  KVM_SET_VAPIC_ADDR: {
    EINVAL: "the local APIC is not in the kernel, or no slot backs the address",
  },
  KVM_SET_MSRS: { E2BIG: "there are more than 255 MSRs" },
  KVM_SMI: { ENOTTY: "this host has no system-management mode (KVM_CAP_X86_SMM)" },
  KVM_SET_REGS: { EINVAL: "the registers contradict each other" },
  KVM_SET_SIGNAL_MASK: { EINVAL: "the mask is not 8 bytes" },
  KVM_GET_MSR_INDEX_LIST: { E2BIG: "the list has more entries than room was given for" },
  KVM_GET_MSR_FEATURE_INDEX_LIST: { E2BIG: "the list has more entries than room was given for" },
  KVM_GET_SUPPORTED_CPUID: { E2BIG: "there are more leaves than room was given for" },
  KVM_GET_EMULATED_CPUID: { E2BIG: "there are more leaves than room was given for" },
  KVM_GET_SUPPORTED_HV_CPUID: {
    E2BIG: "there are more leaves than room was given for",
    EINVAL: "this KVM answers it on a vCPU alone (KVM_CAP_SYS_HYPERV_CPUID), or not at all",
    ENOTTY: "this KVM is built without Hyper-V's interface",
  },
  KVM_GET_MSRS: {
    E2BIG: "256 MSRs or more at once",
    EFAULT: "the list cannot be read or written",
  },
  KVM_SET_USER_MEMORY_REGION2: {
    EEXIST: "the slot overlaps another one, or the file's range is bound to one",
    EINVAL: "the slot number, flags, size, an alignment or the range of the file is invalid, " +
      "or a slot with a file would change",
    EBADF: "the file is not open",
    ENOENT: "no slot of that number is there to delete",
  },
  KVM_CREATE_GUEST_MEMFD: {
    EINVAL: "the size is 0 or not whole pages, a flag is unknown, or this VM has no such files",
  },
  KVM_SET_MEMORY_ATTRIBUTES: {
    EINVAL: "the range is empty, wraps or is not whole pages, or this VM has no such attribute",
  },
  KVM_PRE_FAULT_MEMORY: {
    EINVAL: "the range wraps or is not whole pages",
    ENOENT: "a part of the range is in no slot",
    EINTR: "an unmasked signal is pending and nothing was mapped yet",
    EFAULT: "the memory behind the slot cannot be read",
    EOPNOTSUPP: "this VM's MMU cannot map ahead",
    EIO: "the MMU refused",
  },
  KVM_RESET_DIRTY_RINGS: { EINVAL: "this VM has no dirty rings: enable KVM_CAP_DIRTY_LOG_RING" },
  KVM_CLEAR_DIRTY_LOG: {
    ENOENT: "the slot does not exist or does not log dirty pages",
    EINVAL:
      "the slot number is out of range, or the range is not 64-page aligned or beyond the slot",
    ENXIO: "the VM uses the dirty ring instead of the bitmap",
  },
  KVM_REGISTER_COALESCED_MMIO: {
    EINVAL: "the space is neither ports nor memory",
    ENOSPC: "the VM's bus has no room for another device",
    ENOTTY: "this VM does not coalesce",
  },
  KVM_UNREGISTER_COALESCED_MMIO: { EINVAL: "the space is neither ports nor memory" },
  KVM_IOEVENTFD: {
    EEXIST: "the same access is assigned",
    EINVAL: "the size is not 0, 1, 2, 4 or 8, the range wraps, or a flag is unknown",
    ENOENT: "no such access is assigned",
    ENOSPC: "the VM's bus has no room for another device",
    EBADF: "the eventfd is not open",
  },
  KVM_IRQFD: {
    EINVAL: "the VM has no in-kernel interrupt controller, or a flag or the GSI is invalid",
    EBUSY: "the eventfd is assigned",
    EBADF: "an eventfd is not open",
  },
  KVM_SET_GSI_ROUTING: {
    EINVAL: "a route is invalid, there are more than KVM_CAP_IRQ_ROUTING, or no chip to route to",
  },
  KVM_SIGNAL_MSI: { EINVAL: "the VM has no in-kernel local APIC, or a flag is unknown" },
  KVM_GET_IRQCHIP: {
    ENXIO: "the VM has no in-kernel interrupt controller",
    EINVAL: "there is no chip of that number",
  },
  KVM_SET_IRQCHIP: {
    ENXIO: "the VM has no in-kernel interrupt controller",
    EINVAL: "there is no chip of that number",
  },
  KVM_CREATE_PIT: {
    EEXIST: "the VM has a PIT",
    ENOENT: "the VM has no in-kernel interrupt controller",
  },
  KVM_GET_PIT: { ENXIO: "the VM has no PIT" },
  KVM_SET_PIT: { ENXIO: "the VM has no PIT" },
  KVM_GET_PIT2: { ENXIO: "the VM has no PIT" },
  KVM_SET_PIT2: { ENXIO: "the VM has no PIT" },
  KVM_REINJECT_CONTROL: { ENXIO: "the VM has no PIT" },
  KVM_SET_TSS_ADDR: { EINVAL: "three pages from that address do not fit below 4 GiB" },
  KVM_SET_IDENTITY_MAP_ADDR: { EINVAL: "a vCPU was made before" },
  KVM_SET_BOOT_CPU_ID: { EBUSY: "a vCPU was made before" },
  KVM_SET_NR_MMU_PAGES: { EINVAL: "fewer than KVM_MIN_ALLOC_MMU_PAGES (64)" },
  KVM_SET_CLOCK: { EINVAL: "a flag but KVM_CLOCK_REALTIME is set" },
  KVM_GET_TSC_KHZ: { EIO: "the host's TSC is not stable" },
  KVM_SET_TSC_KHZ: {
    EINVAL: "the frequency is beyond what the host can scale to",
  },
  KVM_X86_SET_MSR_FILTER: { EINVAL: "a flag is unknown, or a bitmap is empty or above 1536 bytes" },
  KVM_SET_PMU_EVENT_FILTER: {
    EINVAL: "the action or a flag is unknown, or an event has reserved bits",
    E2BIG: "there are more than 300 events",
  },
  KVM_CREATE_DEVICE: {
    ENODEV: "this KVM knows no device of that type, or its module is not loaded",
    EEXIST: "the VM has such a device and may have one",
  },
  KVM_GET_DEVICE_ATTR: {
    ENXIO: "there is no such group or attribute",
    EPERM: "the attribute cannot be read now, or not at all",
    EFAULT: "the value cannot be written to where it goes",
  },
  KVM_SET_DEVICE_ATTR: {
    ENXIO: "there is no such group or attribute",
    EPERM: "the attribute cannot be written now, or not at all",
    EBUSY: "the device is in use",
  },
  KVM_HAS_DEVICE_ATTR: { ENXIO: "there is no such group or attribute" },
  KVM_GET_STATS_FD: { ENOTTY: "this KVM has no binary statistics" },
  KVM_XEN_HVM_CONFIG: { EINVAL: "a flag is unknown, or a page's size does not fit the flags" },
  KVM_HYPERV_EVENTFD: {
    EINVAL: "the connection id is above 24 bits, or a flag is unknown",
    EEXIST: "the connection has an eventfd",
    ENOENT: "the connection has none",
  },
  KVM_MEMORY_ENCRYPT_OP: {
    ENOTTY: "this host does not encrypt memory, or the VM's type does not",
  },
  KVM_MEMORY_ENCRYPT_REG_REGION: { ENOTTY: "the VM's memory is not encrypted" },
  KVM_MEMORY_ENCRYPT_UNREG_REGION: { ENOTTY: "the VM's memory is not encrypted" },
};
