/** The state of an x86 vCPU as KVM's ioctls give and take it. */
import type { SpecialRegisters } from "./registers.ts";

/** General registers, RIP and RFLAGS: `struct kvm_regs` (KVM_GET_REGS, KVM API 4.11). */
export interface Registers {
  rax: bigint;
  rbx: bigint;
  rcx: bigint;
  rdx: bigint;
  rsi: bigint;
  rdi: bigint;
  rsp: bigint;
  rbp: bigint;
  r8: bigint;
  r9: bigint;
  r10: bigint;
  r11: bigint;
  r12: bigint;
  r13: bigint;
  r14: bigint;
  r15: bigint;
  rip: bigint;
  rflags: bigint;
}

/** Segments, descriptor tables and control registers: `struct kvm_sregs` (KVM_GET_SREGS, 4.13). */
export interface SystemRegisters extends SpecialRegisters {
  /** IA32_APIC_BASE. */
  readonly apic_base: bigint;
  /** 256 bits: the interrupt that KVM_INTERRUPT enqueued and KVM has not yet injected. */
  readonly interrupt_bitmap: bigint[];
}

/** DR0 to DR3, DR6 and DR7: `struct kvm_debugregs` (KVM_GET_DEBUGREGS, KVM API 4.34). */
export interface DebugRegisters {
  /** DR0 to DR3: linear addresses. */
  db: bigint[];
  dr6: bigint;
  dr7: bigint;
  /** 0; KVM refuses anything else. */
  flags: bigint;
}

/** What waits to be injected, and what holds it back: `struct kvm_vcpu_events` (KVM API 4.31). */
export interface VcpuEvents {
  exception: {
    injected: number;
    nr: number;
    has_error_code: number;
    pending: number;
    error_code: number;
  };
  /** `shadow`: 1 after MOV SS or POP SS, 2 after STI. */
  interrupt: { injected: number; nr: number; soft: number; shadow: number };
  nmi: { injected: number; pending: number; masked: number };
  sipi_vector: number;
  /** Which of the optional members hold: KVM_VCPUEVENT_VALID_*. */
  flags: number;
  smi: { smm: number; pending: number; smm_inside_nmi: number; latched_init: number };
  triple_fault: { pending: number };
  exception_has_payload: number;
  exception_payload: bigint;
}

/** A model-specific register and its 64 bits. */
export interface MsrEntry {
  readonly index: number;
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
  eax: number;
  ebx: number;
  ecx: number;
  edx: number;
}

/** What an address means to the guest's own page tables: `struct kvm_translation` (KVM API 4.15). */
export interface Translation {
  /** The linear address asked for. */
  linear_address: bigint;
  /** Guest physical, where valid. */
  physical_address: bigint;
  valid: number;
  writeable: number;
  usermode: number;
}
