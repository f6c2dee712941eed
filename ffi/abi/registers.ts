/** Structures of a vCPU's state: registers, events, MSRs, CPUID, nested virtualization. @module */

/** The general registers. `KVM_GET_REGS`, `KVM_SET_REGS`. */
export const kvm_regs = {
  name: "kvm_regs",
  size: 144,
  fields: {
    rax: [0, "u64"],
    rbx: [8, "u64"],
    rcx: [16, "u64"],
    rdx: [24, "u64"],
    rsi: [32, "u64"],
    rdi: [40, "u64"],
    rsp: [48, "u64"],
    rbp: [56, "u64"],
    r8: [64, "u64"],
    r9: [72, "u64"],
    r10: [80, "u64"],
    r11: [88, "u64"],
    r12: [96, "u64"],
    r13: [104, "u64"],
    r14: [112, "u64"],
    r15: [120, "u64"],
    rip: [128, "u64"],
    rflags: [136, "u64"],
  },
} as const;

/** A segment register with its hidden part. Part of `kvm_sregs` and `kvm_sregs2`. */
export const kvm_segment = {
  name: "kvm_segment",
  size: 24,
  fields: {
    base: [0, "u64"],
    limit: [8, "u32"],
    selector: [12, "u16"],
    type: [14, "u8"],
    present: [15, "u8"],
    dpl: [16, "u8"],
    db: [17, "u8"],
    s: [18, "u8"],
    l: [19, "u8"],
    g: [20, "u8"],
    avl: [21, "u8"],
    unusable: [22, "u8"],
  },
} as const;

/** GDTR or IDTR. Part of `kvm_sregs` and `kvm_sregs2`. */
export const kvm_dtable = {
  name: "kvm_dtable",
  size: 16,
  fields: { base: [0, "u64"], limit: [8, "u16"] },
} as const;

/** The system registers. `KVM_GET_SREGS`, `KVM_SET_SREGS`. */
export const kvm_sregs = {
  name: "kvm_sregs",
  size: 312,
  fields: {
    cs: [0, kvm_segment],
    ds: [24, kvm_segment],
    es: [48, kvm_segment],
    fs: [72, kvm_segment],
    gs: [96, kvm_segment],
    ss: [120, kvm_segment],
    tr: [144, kvm_segment],
    ldt: [168, kvm_segment],
    gdt: [192, kvm_dtable],
    idt: [208, kvm_dtable],
    cr0: [224, "u64"],
    cr2: [232, "u64"],
    cr3: [240, "u64"],
    cr4: [248, "u64"],
    cr8: [256, "u64"],
    efer: [264, "u64"],
    apic_base: [272, "u64"],
    interrupt_bitmap: [280, "u64", 4],
  },
} as const;

/** The system registers with PAE's page-directory pointers. `KVM_GET_SREGS2`, `KVM_SET_SREGS2`. */
export const kvm_sregs2 = {
  name: "kvm_sregs2",
  size: 320,
  fields: {
    cs: [0, kvm_segment],
    ds: [24, kvm_segment],
    es: [48, kvm_segment],
    fs: [72, kvm_segment],
    gs: [96, kvm_segment],
    ss: [120, kvm_segment],
    tr: [144, kvm_segment],
    ldt: [168, kvm_segment],
    gdt: [192, kvm_dtable],
    idt: [208, kvm_dtable],
    cr0: [224, "u64"],
    cr2: [232, "u64"],
    cr3: [240, "u64"],
    cr4: [248, "u64"],
    cr8: [256, "u64"],
    efer: [264, "u64"],
    apic_base: [272, "u64"],
    flags: [280, "u64"],
    pdptrs: [288, "u64", 4],
  },
} as const;

/** x87 and SSE registers. `KVM_GET_FPU`, `KVM_SET_FPU`. */
export const kvm_fpu = {
  name: "kvm_fpu",
  size: 416,
  fields: {
    fpr: [0, "u8", 8, 16],
    fcw: [128, "u16"],
    fsw: [130, "u16"],
    ftwx: [132, "u8"],
    last_opcode: [134, "u16"],
    last_ip: [136, "u64"],
    last_dp: [144, "u64"],
    xmm: [152, "u8", 16, 16],
    mxcsr: [408, "u32"],
  },
} as const;

/** The XSAVE area, at least 4096 bytes. `KVM_GET_XSAVE`, `KVM_SET_XSAVE`, `KVM_GET_XSAVE2`. */
export const kvm_xsave = {
  name: "kvm_xsave",
  size: 4096,
  fields: { region: [0, "u32", 1024] },
  tail: "extra",
} as const;

/** One extended control register. Part of `kvm_xcrs`. */
export const kvm_xcr = {
  name: "kvm_xcr",
  size: 16,
  fields: { xcr: [0, "u32"], value: [8, "u64"] },
} as const;

/** The extended control registers, the first `nr_xcrs` of them valid. `KVM_GET_XCRS`, `KVM_SET_XCRS`. */
export const kvm_xcrs = {
  name: "kvm_xcrs",
  size: 392,
  fields: { nr_xcrs: [0, "u32"], flags: [4, "u32"], xcrs: [8, kvm_xcr, 16] },
} as const;

/** The debug registers. `KVM_GET_DEBUGREGS`, `KVM_SET_DEBUGREGS`. */
export const kvm_debugregs = {
  name: "kvm_debugregs",
  size: 128,
  fields: { db: [0, "u64", 4], dr6: [32, "u64"], dr7: [40, "u64"], flags: [48, "u64"] },
} as const;

/** Exceptions, interrupts and NMIs under way. `KVM_GET_VCPU_EVENTS`, `KVM_SET_VCPU_EVENTS`. */
export const kvm_vcpu_events = {
  name: "kvm_vcpu_events",
  size: 64,
  fields: {
    exception: [0, {
      size: 8,
      fields: {
        injected: [0, "u8"],
        nr: [1, "u8"],
        has_error_code: [2, "u8"],
        pending: [3, "u8"],
        error_code: [4, "u32"],
      },
    }],
    interrupt: [8, {
      size: 4,
      fields: { injected: [0, "u8"], nr: [1, "u8"], soft: [2, "u8"], shadow: [3, "u8"] },
    }],
    nmi: [12, {
      size: 4,
      fields: { injected: [0, "u8"], pending: [1, "u8"], masked: [2, "u8"] },
    }],
    sipi_vector: [16, "u32"],
    flags: [20, "u32"],
    smi: [24, {
      size: 4,
      fields: {
        smm: [0, "u8"],
        pending: [1, "u8"],
        smm_inside_nmi: [2, "u8"],
        latched_init: [3, "u8"],
      },
    }],
    triple_fault: [28, { size: 1, fields: { pending: [0, "u8"] } }],
    exception_has_payload: [55, "u8"],
    exception_payload: [56, "u64"],
  },
} as const;

/** Whether a vCPU runs, halts or waits for INIT or SIPI. `KVM_GET_MP_STATE`, `KVM_SET_MP_STATE`. */
export const kvm_mp_state = {
  name: "kvm_mp_state",
  size: 4,
  fields: { mp_state: [0, "u32"] },
} as const;

/** One MSR and its value. Follows `kvm_msrs`. */
export const kvm_msr_entry = {
  name: "kvm_msr_entry",
  size: 16,
  fields: { index: [0, "u32"], data: [8, "u64"] },
} as const;

/** The head of a list of `kvm_msr_entry`. `KVM_GET_MSRS`, `KVM_SET_MSRS`. */
export const kvm_msrs = {
  name: "kvm_msrs",
  size: 8,
  fields: { nmsrs: [0, "u32"] },
  tail: "entries",
} as const;

/** The head of a list of u32 MSR numbers. `KVM_GET_MSR_INDEX_LIST`, `KVM_GET_MSR_FEATURE_INDEX_LIST`. */
export const kvm_msr_list = {
  name: "kvm_msr_list",
  size: 4,
  fields: { nmsrs: [0, "u32"] },
  tail: "indices",
} as const;

/** A range of MSRs with one bit each; `bitmap` is an address. Part of `kvm_msr_filter`. */
export const kvm_msr_filter_range = {
  name: "kvm_msr_filter_range",
  size: 24,
  fields: { flags: [0, "u32"], nmsrs: [4, "u32"], base: [8, "u32"], bitmap: [16, "u64"] },
} as const;

/** Which MSRs the guest may read and write. `KVM_X86_SET_MSR_FILTER`. */
export const kvm_msr_filter = {
  name: "kvm_msr_filter",
  size: 392,
  fields: { flags: [0, "u32"], ranges: [8, kvm_msr_filter_range, 16] },
} as const;

/** One CPUID leaf without a subleaf. Follows `kvm_cpuid`. */
export const kvm_cpuid_entry = {
  name: "kvm_cpuid_entry",
  size: 24,
  fields: {
    function: [0, "u32"],
    eax: [4, "u32"],
    ebx: [8, "u32"],
    ecx: [12, "u32"],
    edx: [16, "u32"],
  },
} as const;

/** The head of a list of `kvm_cpuid_entry`. `KVM_SET_CPUID`. */
export const kvm_cpuid = {
  name: "kvm_cpuid",
  size: 8,
  fields: { nent: [0, "u32"] },
  tail: "entries",
} as const;

/** One CPUID leaf and subleaf. Follows `kvm_cpuid2`. */
export const kvm_cpuid_entry2 = {
  name: "kvm_cpuid_entry2",
  size: 40,
  fields: {
    function: [0, "u32"],
    index: [4, "u32"],
    flags: [8, "u32"],
    eax: [12, "u32"],
    ebx: [16, "u32"],
    ecx: [20, "u32"],
    edx: [24, "u32"],
  },
} as const;

/** The head of a list of `kvm_cpuid_entry2`. `KVM_GET_SUPPORTED_CPUID`, `KVM_SET_CPUID2`. */
export const kvm_cpuid2 = {
  name: "kvm_cpuid2",
  size: 8,
  fields: { nent: [0, "u32"] },
  tail: "entries",
} as const;

/** One register by its number and the address of its value. `KVM_GET_ONE_REG`, `KVM_SET_ONE_REG`. */
export const kvm_one_reg = {
  name: "kvm_one_reg",
  size: 16,
  fields: { id: [0, "u64"], addr: [8, "u64"] },
} as const;

/** The head of a list of u64 register numbers. `KVM_GET_REG_LIST`. */
export const kvm_reg_list = {
  name: "kvm_reg_list",
  size: 8,
  fields: { n: [0, "u64"] },
  tail: "reg",
} as const;

/** The head of a nested state. `KVM_GET_NESTED_STATE`, `KVM_SET_NESTED_STATE`. */
export const kvm_nested_state = {
  name: "kvm_nested_state",
  size: 128,
  fields: { flags: [0, "u16"], format: [2, "u16"], size: [4, "u32"] },
  tail: "data",
} as const;

/** The VMX member of a nested state's header, in `kvm_nested_state.hdr`. */
export const kvm_nested_state_vmx = {
  name: "kvm_nested_state",
  member: "hdr.vmx",
  size: 128,
  fields: {
    vmxon_pa: [8, "u64"],
    vmcs12_pa: [16, "u64"],
    smm: [24, { size: 2, fields: { flags: [0, "u16"] } }],
    flags: [28, "u32"],
    preemption_timer_deadline: [32, "u64"],
  },
} as const;

/** The SVM member of a nested state's header, in `kvm_nested_state.hdr`. */
export const kvm_nested_state_svm = {
  name: "kvm_nested_state",
  member: "hdr.svm",
  size: 128,
  fields: { vmcb_pa: [8, "u64"] },
} as const;

/** A machine check to raise. `KVM_X86_SET_MCE`. */
export const kvm_x86_mce = {
  name: "kvm_x86_mce",
  size: 64,
  fields: {
    status: [0, "u64"],
    addr: [8, "u64"],
    misc: [16, "u64"],
    mcg_status: [24, "u64"],
    bank: [32, "u8"],
  },
} as const;
