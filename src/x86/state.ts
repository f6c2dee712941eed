/** The state of an x86 vCPU as KVM's ioctls give and take it. */
import type { SpecialRegisters } from "./registers.ts";

/** General registers, RIP and RFLAGS: `struct kvm_regs` (KVM_GET_REGS, KVM API 4.11). */
export interface Registers {
  /** RAX. */
  rax: bigint;
  /** RBX. */
  rbx: bigint;
  /** RCX. */
  rcx: bigint;
  /** RDX. */
  rdx: bigint;
  /** RSI. */
  rsi: bigint;
  /** RDI. */
  rdi: bigint;
  /** RSP, the stack pointer. */
  rsp: bigint;
  /** RBP. */
  rbp: bigint;
  /** R8. */
  r8: bigint;
  /** R9. */
  r9: bigint;
  /** R10. */
  r10: bigint;
  /** R11. */
  r11: bigint;
  /** R12. */
  r12: bigint;
  /** R13. */
  r13: bigint;
  /** R14. */
  r14: bigint;
  /** R15. */
  r15: bigint;
  /** RIP: offset of the next instruction in CS. */
  rip: bigint;
  /** RFLAGS. */
  rflags: bigint;
}

/** Segments, descriptor tables and control registers: `struct kvm_sregs` (KVM_GET_SREGS, 4.13). */
export interface SystemRegisters extends SpecialRegisters {
  /** IA32_APIC_BASE. */
  readonly apic_base: bigint;
  /** 256 bits: the interrupt that KVM_INTERRUPT enqueued and KVM has not yet injected. */
  readonly interrupt_bitmap: bigint[];
}

/**
 * Segments, descriptor tables, control registers and PAE's page-directory pointers: `struct
 * kvm_sregs2` (KVM_GET_SREGS2, KVM API 4.131).
 */
export interface SystemRegisters2 extends SpecialRegisters {
  /** IA32_APIC_BASE. */
  readonly apic_base: bigint;
  /** Bit 0 (KVM_SREGS2_FLAGS_PDPTRS_VALID): `pdptrs` hold. */
  readonly flags: bigint;
  /** The four page-directory pointers that PAE paging walks from. */
  readonly pdptrs: bigint[];
}

/** x87 and SSE registers: `struct kvm_fpu` (KVM_GET_FPU, KVM API 4.22). */
export interface FloatingPointRegisters {
  /** ST0 to ST7 by their place in the stack, 10 bytes of each 16. */
  readonly fpr: Uint8Array[];
  /** Control word. */
  readonly fcw: number;
  /** Status word. */
  readonly fsw: number;
  /** Tag word in FXSAVE's short form: a bit set for each register in use. */
  readonly ftwx: number;
  /** Opcode of the last x87 instruction, 11 bits. */
  readonly last_opcode: number;
  /** Its address. */
  readonly last_ip: bigint;
  /** The address of its operand. */
  readonly last_dp: bigint;
  /** XMM0 to XMM15, 16 bytes each. */
  readonly xmm: Uint8Array[];
  /** MXCSR: control and status of SSE. */
  readonly mxcsr: number;
}

/** An extended control register: `struct kvm_xcr` (KVM_GET_XCRS, KVM API 4.44). */
export interface ExtendedControlRegister {
  /** 0 for XCR0. */
  readonly xcr: number;
  /** Its 64 bits. */
  readonly value: bigint;
}

/** What a vCPU holds as a hypervisor: `struct kvm_nested_state` (KVM API 4.114). */
export interface NestedState {
  /** KVM_STATE_NESTED_*. */
  readonly flags: number;
  /** 0 (KVM_STATE_NESTED_FORMAT_VMX) or 1 (KVM_STATE_NESTED_FORMAT_SVM). */
  readonly format: number;
  /** The vendor's header of 120 bytes, and the rest. */
  readonly data: Uint8Array;
}

/** A machine check: `struct kvm_x86_mce` (KVM_X86_SET_MCE, KVM API 4.106). */
export interface MachineCheck {
  /** Which bank, 8 bits. */
  readonly bank: number;
  /** IA32_MCi_STATUS. */
  readonly status: bigint;
  /** IA32_MCi_ADDR. */
  readonly addr: bigint;
  /** IA32_MCi_MISC. */
  readonly misc: bigint;
  /** IA32_MCG_STATUS. */
  readonly mcg_status: bigint;
}

/** DR0 to DR3, DR6 and DR7: `struct kvm_debugregs` (KVM_GET_DEBUGREGS, KVM API 4.34). */
export interface DebugRegisters {
  /** DR0 to DR3: linear addresses. */
  db: bigint[];
  /** DR6, the status. */
  dr6: bigint;
  /** DR7, the control. */
  dr7: bigint;
  /** 0; KVM refuses anything else. */
  flags: bigint;
}

/** What waits to be injected, and what holds it back: `struct kvm_vcpu_events` (KVM API 4.31). */
export interface VcpuEvents {
  /** An exception: `injected` was being delivered, `pending` waits. */
  exception: {
    injected: number;
    nr: number;
    has_error_code: number;
    pending: number;
    error_code: number;
  };
  /** `shadow`: 1 after MOV SS or POP SS, 2 after STI. */
  interrupt: { injected: number; nr: number; soft: number; shadow: number };
  /** An NMI: `masked` until the next IRET. */
  nmi: { injected: number; pending: number; masked: number };
  /** Vector of the startup IPI that the vCPU got. */
  sipi_vector: number;
  /** Which of the optional members hold: KVM_VCPUEVENT_VALID_*. */
  flags: number;
  /** A system-management interrupt, and whether the vCPU is in that mode. */
  smi: { smm: number; pending: number; smm_inside_nmi: number; latched_init: number };
  /** A triple fault that has yet to exit. */
  triple_fault: { pending: number };
  /** 1: `exception_payload` holds. */
  exception_has_payload: number;
  /** DR6 for #DB, CR2 for #PF, not yet in its register. */
  exception_payload: bigint;
}

/** A model-specific register and its 64 bits. */
export interface MsrEntry {
  /** Index, 32 bits. */
  readonly index: number;
  /** Value: EDX:EAX. */
  readonly data: bigint;
}

/** One CPUID leaf: `struct kvm_cpuid_entry2` (KVM API 4.46). */
export interface CpuidEntry {
  /** Leaf: EAX before CPUID. */
  function: number;
  /** Subleaf: ECX before CPUID. */
  index: number;
  /** Bit 0 (KVM_CPUID_FLAG_SIGNIFCANT_INDEX): the subleaf matters. */
  flags: number;
  /** EAX after CPUID. */
  eax: number;
  /** EBX after CPUID. */
  ebx: number;
  /** ECX after CPUID. */
  ecx: number;
  /** EDX after CPUID. */
  edx: number;
}

/** What an address means to the guest's own page tables: `struct kvm_translation` (KVM API 4.15). */
export interface Translation {
  /** The linear address asked for. */
  linear_address: bigint;
  /** Guest physical, where valid. */
  physical_address: bigint;
  /** 1: the page tables map it. */
  valid: number;
  /** 1: it may be written. */
  writeable: number;
  /** 1: CPL 3 may access it. */
  usermode: number;
}
