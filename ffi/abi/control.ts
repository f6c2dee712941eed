/** Structures of control: capabilities, signals, debugging, devices, statistics, filters. @module */

/** A capability to enable, with its arguments. `KVM_ENABLE_CAP`. */
export const kvm_enable_cap = {
  name: "kvm_enable_cap",
  size: 104,
  fields: { cap: [0, "u32"], flags: [4, "u32"], args: [8, "u64", 4] },
} as const;

/** The head of a signal set of `len` bytes. `KVM_SET_SIGNAL_MASK`. */
export const kvm_signal_mask = {
  name: "kvm_signal_mask",
  size: 4,
  fields: { len: [0, "u32"] },
  tail: "sigset",
} as const;

/** DR0 to DR7 of the debugger; 4 and 5 unused. Part of `kvm_guest_debug`. */
export const kvm_guest_debug_arch = {
  name: "kvm_guest_debug_arch",
  size: 64,
  fields: { debugreg: [0, "u64", 8] },
} as const;

/** Single-step and breakpoints. `KVM_SET_GUEST_DEBUG`. */
export const kvm_guest_debug = {
  name: "kvm_guest_debug",
  size: 72,
  fields: { control: [0, "u32"], arch: [8, kvm_guest_debug_arch] },
} as const;

/** A device to create; `fd` is the answer. `KVM_CREATE_DEVICE`. */
export const kvm_create_device = {
  name: "kvm_create_device",
  size: 12,
  fields: { type: [0, "u32"], fd: [4, "u32"], flags: [8, "u32"] },
} as const;

/** An attribute and the address of its value. `KVM_GET_DEVICE_ATTR`, `KVM_SET_DEVICE_ATTR`. */
export const kvm_device_attr = {
  name: "kvm_device_attr",
  size: 24,
  fields: { flags: [0, "u32"], group: [4, "u32"], attr: [8, "u64"], addr: [16, "u64"] },
} as const;

/** The head of the binary statistics, offsets in bytes of the file. Read from `KVM_GET_STATS_FD`'s fd. */
export const kvm_stats_header = {
  name: "kvm_stats_header",
  size: 24,
  fields: {
    flags: [0, "u32"],
    name_size: [4, "u32"],
    num_desc: [8, "u32"],
    id_offset: [12, "u32"],
    desc_offset: [16, "u32"],
    data_offset: [20, "u32"],
  },
} as const;

/** What one statistic is; its name follows. Read from `KVM_GET_STATS_FD`'s fd. */
export const kvm_stats_desc = {
  name: "kvm_stats_desc",
  size: 16,
  fields: {
    flags: [0, "u32"],
    exponent: [4, "s16"],
    size: [6, "u16"],
    offset: [8, "u32"],
    bucket_size: [12, "u32"],
  },
  tail: "name",
} as const;

/** The head of a list of u64 performance events. `KVM_SET_PMU_EVENT_FILTER`. */
export const kvm_pmu_event_filter = {
  name: "kvm_pmu_event_filter",
  size: 32,
  fields: {
    action: [0, "u32"],
    nevents: [4, "u32"],
    fixed_counter_bitmap: [8, "u32"],
    flags: [12, "u32"],
  },
  tail: "events",
} as const;

/** An eventfd for a Hyper-V connection. `KVM_HYPERV_EVENTFD`. */
export const kvm_hyperv_eventfd = {
  name: "kvm_hyperv_eventfd",
  size: 24,
  fields: { conn_id: [0, "u32"], fd: [4, "s32"], flags: [8, "u32"] },
} as const;

/** Xen's hypercall page and features. `KVM_XEN_HVM_CONFIG`. */
export const kvm_xen_hvm_config = {
  name: "kvm_xen_hvm_config",
  size: 56,
  fields: {
    flags: [0, "u32"],
    msr: [4, "u32"],
    blob_addr_32: [8, "u64"],
    blob_addr_64: [16, "u64"],
    blob_size_32: [24, "u8"],
    blob_size_64: [25, "u8"],
  },
} as const;

/** The head of a Xen attribute of a VM. `KVM_XEN_HVM_GET_ATTR`, `KVM_XEN_HVM_SET_ATTR`. */
export const kvm_xen_hvm_attr = {
  name: "kvm_xen_hvm_attr",
  size: 72,
  fields: { type: [0, "u16"] },
} as const;

/** The head of a Xen attribute of a vCPU. `KVM_XEN_VCPU_GET_ATTR`, `KVM_XEN_VCPU_SET_ATTR`. */
export const kvm_xen_vcpu_attr = {
  name: "kvm_xen_vcpu_attr",
  size: 72,
  fields: { type: [0, "u16"] },
} as const;
