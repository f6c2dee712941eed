/** Structures of Xen's interface, and of encrypted memory: one table for each member of a union. @module */

/** `KVM_XEN_ATTR_TYPE_LONG_MODE`. `KVM_XEN_HVM_GET_ATTR`, `KVM_XEN_HVM_SET_ATTR`. */
export const kvm_xen_hvm_attr_long_mode = {
  name: "kvm_xen_hvm_attr",
  size: 72,
  fields: { type: [0, "u16"], u: [8, { size: 64, fields: { long_mode: [0, "u8"] } }] },
} as const;

/** `KVM_XEN_ATTR_TYPE_SHARED_INFO`. `KVM_XEN_HVM_GET_ATTR`, `KVM_XEN_HVM_SET_ATTR`. */
export const kvm_xen_hvm_attr_shared_info = {
  name: "kvm_xen_hvm_attr",
  size: 72,
  fields: {
    type: [0, "u16"],
    u: [8, { size: 64, fields: { shared_info: [0, { size: 8, fields: { gfn: [0, "u64"] } }] } }],
  },
} as const;

/** `KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA`. `KVM_XEN_HVM_GET_ATTR`, `KVM_XEN_HVM_SET_ATTR`. */
export const kvm_xen_hvm_attr_shared_info_hva = {
  name: "kvm_xen_hvm_attr",
  size: 72,
  fields: {
    type: [0, "u16"],
    u: [8, { size: 64, fields: { shared_info: [0, { size: 8, fields: { hva: [0, "u64"] } }] } }],
  },
} as const;

/** `KVM_XEN_ATTR_TYPE_UPCALL_VECTOR`. `KVM_XEN_HVM_GET_ATTR`, `KVM_XEN_HVM_SET_ATTR`. */
export const kvm_xen_hvm_attr_vector = {
  name: "kvm_xen_hvm_attr",
  size: 72,
  fields: { type: [0, "u16"], u: [8, { size: 64, fields: { vector: [0, "u8"] } }] },
} as const;

/** `KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG`. `KVM_XEN_HVM_GET_ATTR`, `KVM_XEN_HVM_SET_ATTR`. */
export const kvm_xen_hvm_attr_runstate_update_flag = {
  name: "kvm_xen_hvm_attr",
  size: 72,
  fields: { type: [0, "u16"], u: [8, { size: 64, fields: { runstate_update_flag: [0, "u8"] } }] },
} as const;

/** `KVM_XEN_ATTR_TYPE_XEN_VERSION`. `KVM_XEN_HVM_GET_ATTR`, `KVM_XEN_HVM_SET_ATTR`. */
export const kvm_xen_hvm_attr_xen_version = {
  name: "kvm_xen_hvm_attr",
  size: 72,
  fields: { type: [0, "u16"], u: [8, { size: 64, fields: { xen_version: [0, "u32"] } }] },
} as const;

/** `KVM_XEN_ATTR_TYPE_EVTCHN` to a port of the guest. `KVM_XEN_HVM_SET_ATTR`. */
export const kvm_xen_hvm_attr_evtchn_port = {
  name: "kvm_xen_hvm_attr",
  size: 72,
  fields: {
    type: [0, "u16"],
    u: [8, {
      size: 64,
      fields: {
        evtchn: [0, {
          size: 28,
          fields: {
            send_port: [0, "u32"],
            type: [4, "u32"],
            flags: [8, "u32"],
            deliver: [12, {
              size: 16,
              fields: {
                port: [0, {
                  size: 12,
                  fields: { port: [0, "u32"], vcpu: [4, "u32"], priority: [8, "u32"] },
                }],
              },
            }],
          },
        }],
      },
    }],
  },
} as const;

/** `KVM_XEN_ATTR_TYPE_EVTCHN` to an eventfd. `KVM_XEN_HVM_SET_ATTR`. */
export const kvm_xen_hvm_attr_evtchn_eventfd = {
  name: "kvm_xen_hvm_attr",
  size: 72,
  fields: {
    type: [0, "u16"],
    u: [8, {
      size: 64,
      fields: {
        evtchn: [0, {
          size: 28,
          fields: {
            send_port: [0, "u32"],
            type: [4, "u32"],
            flags: [8, "u32"],
            deliver: [12, {
              size: 16,
              fields: {
                eventfd: [0, { size: 8, fields: { port: [0, "u32"], fd: [4, "s32"] } }],
              },
            }],
          },
        }],
      },
    }],
  },
} as const;

/** Attributes of a vCPU that are addresses. `KVM_XEN_VCPU_GET_ATTR`, `KVM_XEN_VCPU_SET_ATTR`. */
export const kvm_xen_vcpu_attr_gpa = {
  name: "kvm_xen_vcpu_attr",
  size: 72,
  fields: { type: [0, "u16"], u: [8, { size: 64, fields: { gpa: [0, "u64"] } }] },
} as const;

/** Attributes of a vCPU that are addresses of the host. `KVM_XEN_VCPU_SET_ATTR`. */
export const kvm_xen_vcpu_attr_hva = {
  name: "kvm_xen_vcpu_attr",
  size: 72,
  fields: { type: [0, "u16"], u: [8, { size: 64, fields: { hva: [0, "u64"] } }] },
} as const;

/** `KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_*`, times in ns. `KVM_XEN_VCPU_GET_ATTR`, `_SET_ATTR`. */
export const kvm_xen_vcpu_attr_runstate = {
  name: "kvm_xen_vcpu_attr",
  size: 72,
  fields: {
    type: [0, "u16"],
    u: [8, {
      size: 64,
      fields: {
        runstate: [0, {
          size: 48,
          fields: {
            state: [0, "u64"],
            state_entry_time: [8, "u64"],
            time_running: [16, "u64"],
            time_runnable: [24, "u64"],
            time_blocked: [32, "u64"],
            time_offline: [40, "u64"],
          },
        }],
      },
    }],
  },
} as const;

/** `KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID`. `KVM_XEN_VCPU_GET_ATTR`, `KVM_XEN_VCPU_SET_ATTR`. */
export const kvm_xen_vcpu_attr_vcpu_id = {
  name: "kvm_xen_vcpu_attr",
  size: 72,
  fields: { type: [0, "u16"], u: [8, { size: 64, fields: { vcpu_id: [0, "u32"] } }] },
} as const;

/** `KVM_XEN_VCPU_ATTR_TYPE_TIMER`. `KVM_XEN_VCPU_GET_ATTR`, `KVM_XEN_VCPU_SET_ATTR`. */
export const kvm_xen_vcpu_attr_timer = {
  name: "kvm_xen_vcpu_attr",
  size: 72,
  fields: {
    type: [0, "u16"],
    u: [8, {
      size: 64,
      fields: {
        timer: [0, {
          size: 16,
          fields: { port: [0, "u32"], priority: [4, "u32"], expires_ns: [8, "u64"] },
        }],
      },
    }],
  },
} as const;

/** `KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR`. `KVM_XEN_VCPU_GET_ATTR`, `KVM_XEN_VCPU_SET_ATTR`. */
export const kvm_xen_vcpu_attr_vector = {
  name: "kvm_xen_vcpu_attr",
  size: 72,
  fields: { type: [0, "u16"], u: [8, { size: 64, fields: { vector: [0, "u8"] } }] },
} as const;

/** A command of SEV, `data` the address of its argument; `error` is the answer. `KVM_MEMORY_ENCRYPT_OP`. */
export const kvm_sev_cmd = {
  name: "kvm_sev_cmd",
  size: 24,
  fields: { id: [0, "u32"], data: [8, "u64"], error: [16, "u32"], sev_fd: [20, "u32"] },
} as const;
