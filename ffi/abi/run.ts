/**
 * The page that a vCPU shares with user space, and each exit's part of it.
 *
 * The parts (`kvm_run_io` and the rest) overlap: they are the members of one union, and `exit_reason`
 * says which holds. Every offset counts from the start of `kvm_run`.
 *
 * @module
 */
import { kvm_regs, kvm_sregs, kvm_vcpu_events } from "./registers.ts";

/** What every exit has. `KVM_RUN`, mapped from the vCPU at offset 0. */
export const kvm_run = {
  name: "kvm_run",
  size: 2352,
  fields: {
    request_interrupt_window: [0, "u8"],
    immediate_exit: [1, "u8"],
    exit_reason: [8, "u32"],
    ready_for_interrupt_injection: [12, "u8"],
    if_flag: [13, "u8"],
    flags: [14, "u16"],
    cr8: [16, "u64"],
    apic_base: [24, "u64"],
    kvm_valid_regs: [288, "u64"],
    kvm_dirty_regs: [296, "u64"],
  },
} as const;

/** `KVM_EXIT_UNKNOWN`. */
export const kvm_run_hw = {
  name: "kvm_run",
  member: "hw",
  size: 2352,
  fields: { hardware_exit_reason: [32, "u64"] },
} as const;

/** `KVM_EXIT_FAIL_ENTRY`. */
export const kvm_run_fail_entry = {
  name: "kvm_run",
  member: "fail_entry",
  size: 2352,
  fields: { hardware_entry_failure_reason: [32, "u64"], cpu: [40, "u32"] },
} as const;

/** `KVM_EXIT_EXCEPTION`. */
export const kvm_run_ex = {
  name: "kvm_run",
  member: "ex",
  size: 2352,
  fields: { exception: [32, "u32"], error_code: [36, "u32"] },
} as const;

/** `KVM_EXIT_IO`: `size` in bytes, `data_offset` from the start of `kvm_run`. */
export const kvm_run_io = {
  name: "kvm_run",
  member: "io",
  size: 2352,
  fields: {
    direction: [32, "u8"],
    size: [33, "u8"],
    port: [34, "u16"],
    count: [36, "u32"],
    data_offset: [40, "u64"],
  },
} as const;

/** The breakpoint or step that ended the guest's run. Part of `KVM_EXIT_DEBUG`. */
export const kvm_debug_exit_arch = {
  name: "kvm_debug_exit_arch",
  size: 32,
  fields: { exception: [0, "u32"], pc: [8, "u64"], dr6: [16, "u64"], dr7: [24, "u64"] },
} as const;

/** `KVM_EXIT_DEBUG`. */
export const kvm_run_debug = {
  name: "kvm_run",
  member: "debug",
  size: 2352,
  fields: { arch: [32, kvm_debug_exit_arch] },
} as const;

/** `KVM_EXIT_MMIO`: the first `len` bytes of `data`. */
export const kvm_run_mmio = {
  name: "kvm_run",
  member: "mmio",
  size: 2352,
  fields: { phys_addr: [32, "u64"], data: [40, "u8", 8], len: [48, "u32"], is_write: [52, "u8"] },
} as const;

/** `KVM_EXIT_HYPERCALL`: `ret` is user space's answer. */
export const kvm_run_hypercall = {
  name: "kvm_run",
  member: "hypercall",
  size: 2352,
  fields: { nr: [32, "u64"], args: [40, "u64", 6], ret: [88, "u64"], flags: [96, "u64"] },
} as const;

/** `KVM_EXIT_TPR_ACCESS`. */
export const kvm_run_tpr_access = {
  name: "kvm_run",
  member: "tpr_access",
  size: 2352,
  fields: { rip: [32, "u64"], is_write: [40, "u32"] },
} as const;

/** `KVM_EXIT_INTERNAL_ERROR`: the first `ndata` of `data`. */
export const kvm_run_internal = {
  name: "kvm_run",
  member: "internal",
  size: 2352,
  fields: { suberror: [32, "u32"], ndata: [36, "u32"], data: [40, "u64", 16] },
} as const;

/** `KVM_EXIT_INTERNAL_ERROR` of suberror `KVM_INTERNAL_ERROR_EMULATION`. */
export const kvm_run_emulation_failure = {
  name: "kvm_run",
  member: "emulation_failure",
  size: 2352,
  fields: {
    suberror: [32, "u32"],
    ndata: [36, "u32"],
    flags: [40, "u64"],
    insn_size: [48, "u8"],
    insn_bytes: [49, "u8", 15],
  },
} as const;

/** `KVM_EXIT_SYSTEM_EVENT`: the first `ndata` of `data`. */
export const kvm_run_system_event = {
  name: "kvm_run",
  member: "system_event",
  size: 2352,
  fields: { type: [32, "u32"], ndata: [36, "u32"], data: [40, "u64", 16] },
} as const;

/** `KVM_EXIT_IOAPIC_EOI`. */
export const kvm_run_eoi = {
  name: "kvm_run",
  member: "eoi",
  size: 2352,
  fields: { vector: [32, "u8"] },
} as const;

/** `KVM_EXIT_HYPERV` of type `KVM_EXIT_HYPERV_SYNIC`. */
export const kvm_run_hyperv_synic = {
  name: "kvm_run",
  member: "hyperv",
  size: 2352,
  fields: {
    type: [32, "u32"],
    u: [40, {
      size: 48,
      fields: {
        synic: [0, {
          size: 32,
          fields: {
            msr: [0, "u32"],
            control: [8, "u64"],
            evt_page: [16, "u64"],
            msg_page: [24, "u64"],
          },
        }],
      },
    }],
  },
} as const;

/** `KVM_EXIT_HYPERV` of type `KVM_EXIT_HYPERV_HCALL`: `result` is user space's answer. */
export const kvm_run_hyperv_hcall = {
  name: "kvm_run",
  member: "hyperv",
  size: 2352,
  fields: {
    type: [32, "u32"],
    u: [40, {
      size: 48,
      fields: {
        hcall: [0, {
          size: 32,
          fields: { input: [0, "u64"], result: [8, "u64"], params: [16, "u64", 2] },
        }],
      },
    }],
  },
} as const;

/** `KVM_EXIT_HYPERV` of type `KVM_EXIT_HYPERV_SYNDBG`: `status` is user space's answer. */
export const kvm_run_hyperv_syndbg = {
  name: "kvm_run",
  member: "hyperv",
  size: 2352,
  fields: {
    type: [32, "u32"],
    u: [40, {
      size: 48,
      fields: {
        syndbg: [0, {
          size: 48,
          fields: {
            msr: [0, "u32"],
            control: [8, "u64"],
            status: [16, "u64"],
            send_page: [24, "u64"],
            recv_page: [32, "u64"],
            pending_page: [40, "u64"],
          },
        }],
      },
    }],
  },
} as const;

/** `KVM_EXIT_XEN` of type `KVM_EXIT_XEN_HCALL`: `result` is user space's answer. */
export const kvm_run_xen_hcall = {
  name: "kvm_run",
  member: "xen",
  size: 2352,
  fields: {
    type: [32, "u32"],
    u: [40, {
      size: 72,
      fields: {
        hcall: [0, {
          size: 72,
          fields: {
            longmode: [0, "u32"],
            cpl: [4, "u32"],
            input: [8, "u64"],
            result: [16, "u64"],
            params: [24, "u64", 6],
          },
        }],
      },
    }],
  },
} as const;

/** The bytes of the union that every exit has its part of. */
export const kvm_run_padding = {
  name: "kvm_run",
  size: 2352,
  fields: { padding: [32, "u8", 256] },
} as const;

/** `KVM_EXIT_X86_RDMSR` and `KVM_EXIT_X86_WRMSR`: `error` and, of a read, `data` are the answer. */
export const kvm_run_msr = {
  name: "kvm_run",
  member: "msr",
  size: 2352,
  fields: { error: [32, "u8"], reason: [40, "u32"], index: [44, "u32"], data: [48, "u64"] },
} as const;

/** `KVM_EXIT_NOTIFY`. */
export const kvm_run_notify = {
  name: "kvm_run",
  member: "notify",
  size: 2352,
  fields: { flags: [32, "u32"] },
} as const;

/** `KVM_EXIT_MEMORY_FAULT`. */
export const kvm_run_memory_fault = {
  name: "kvm_run",
  member: "memory_fault",
  size: 2352,
  fields: { flags: [32, "u64"], gpa: [40, "u64"], size: [48, "u64"] },
} as const;

/** The registers that an exit may carry. Part of `kvm_run`; `KVM_CAP_SYNC_REGS`. */
export const kvm_sync_regs = {
  name: "kvm_sync_regs",
  size: 520,
  fields: { regs: [0, kvm_regs], sregs: [144, kvm_sregs], events: [456, kvm_vcpu_events] },
} as const;

/** `kvm_run`'s copy of the registers, valid where `kvm_valid_regs` says so. `KVM_CAP_SYNC_REGS`. */
export const kvm_run_sync_regs = {
  name: "kvm_run",
  member: "s",
  size: 2352,
  fields: { regs: [304, kvm_sync_regs] },
} as const;
