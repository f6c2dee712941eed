/**
 * Why KVM_RUN returned: one type per exit reason (KVM API 5, `struct kvm_run`).
 *
 * An exit is plain data, copied out of the area that KVM shares: it stays as it is when the vCPU
 * runs on, and can be sent to another thread.
 */

/** KVM_EXIT_IO: the guest executed IN, OUT, INS or OUTS. */
export interface PioExit {
  /** Tells the exit from the others. */
  readonly reason: "pio";
  /** Which way the data goes, as the guest sees it. */
  readonly direction: "in" | "out";
  /** The port, 0 to 0xffff. */
  readonly port: number;
  /** Bytes an element. */
  readonly size: 1 | 2 | 4;
  /** How many elements; above 1 for a string instruction with REP. */
  readonly count: number;
  /** The elements that an OUT wrote; empty for an IN, which waits for {@link Vcpu.answer}. */
  readonly values: readonly number[];
}

/** KVM_EXIT_MMIO: the guest touched a guest physical address that no slot backs. */
export interface MmioExit {
  /** Tells the exit from the others. */
  readonly reason: "mmio";
  /** Which way the data goes, as the guest sees it. */
  readonly direction: "read" | "write";
  /** Guest physical address. */
  readonly address: bigint;
  /** Bytes, 1 to 8. */
  readonly size: number;
  /** What a write wrote; 0 for a read, which waits for {@link Vcpu.answer}. */
  readonly value: bigint;
}

/** KVM_EXIT_HLT: the guest executed HLT and no in-kernel interrupt controller waits for it. */
export interface HltExit {
  /** Tells the exit from the others. */
  readonly reason: "hlt";
}

/** KVM_EXIT_SHUTDOWN: a triple fault. */
export interface ShutdownExit {
  /** Tells the exit from the others. */
  readonly reason: "shutdown";
}

/** KVM_EXIT_IRQ_WINDOW_OPEN: the guest can take the interrupt that the host asked a window for. */
export interface IrqWindowExit {
  /** Tells the exit from the others. */
  readonly reason: "irq-window";
}

/** KVM_RUN returned EINTR. */
export interface IntrExit {
  /** Tells the exit from the others. */
  readonly reason: "intr";
  /**
   * A {@link Watchdog} that ran out, a kick from some thread, `immediateExit`, or another signal.
   */
  readonly cause: "deadline" | "kick" | "immediate-exit" | "signal";
}

/** KVM_EXIT_NMI: an NMI of the host ended KVM_RUN. */
export interface NmiExit {
  /** Tells the exit from the others. */
  readonly reason: "nmi";
}

/** KVM_EXIT_DEBUG: a breakpoint or single step that the host asked for. */
export interface DebugExit {
  /** Tells the exit from the others. */
  readonly reason: "debug";
  /** The vector: 1 for #DB, 3 for #BP. */
  readonly exception: number;
  /** Linear address of the instruction. */
  readonly pc: bigint;
  /** DR6 as the guest would have found it. */
  readonly dr6: bigint;
  /** DR7 of the guest. */
  readonly dr7: bigint;
}

/** KVM_EXIT_X86_RDMSR or KVM_EXIT_X86_WRMSR: an MSR that the host wants to handle. */
export interface MsrExit {
  /** Tells the exit from the others. */
  readonly reason: "rdmsr" | "wrmsr";
  /** The MSR. */
  readonly index: number;
  /** Why it came: the MSR is unknown, its use invalid, or a filter denies it. */
  readonly why: "unknown" | "inval" | "filter";
  /** What WRMSR wrote; 0 for RDMSR, which waits for {@link Vcpu.answer}. */
  readonly value: bigint;
}

/** KVM_EXIT_INTERNAL_ERROR: KVM could not go on. */
export interface InternalErrorExit {
  /** Tells the exit from the others. */
  readonly reason: "internal-error";
  /** KVM_INTERNAL_ERROR_*: 1 emulation, 2 simul-ex, 3 delivery-ev, 4 unexpected-exit-reason. */
  readonly suberror: number;
  /** What KVM tells of it; its meaning depends on the suberror. */
  readonly data: readonly bigint[];
  /** The bytes of the instruction that could not be emulated, where KVM tells them. */
  readonly instruction?: Uint8Array<ArrayBuffer>;
}

/** KVM_EXIT_FAIL_ENTRY: the hardware refused to enter the guest. */
export interface FailEntryExit {
  /** Tells the exit from the others. */
  readonly reason: "fail-entry";
  /** The hardware's reason, of the vendor. */
  readonly hardwareReason: bigint;
  /** The host CPU it happened on. */
  readonly cpu: number;
}

/** KVM_EXIT_SYSTEM_EVENT: the guest asked for a reset, a shutdown or the like. */
export interface SystemEventExit {
  /** Tells the exit from the others. */
  readonly reason: "system-event";
  /** KVM_SYSTEM_EVENT_*: 1 shutdown, 2 reset, 3 crash, 4 wakeup, 5 suspend, 6 sev-term. */
  readonly type: number;
  /** What KVM tells of it; its meaning depends on the type. */
  readonly data: readonly bigint[];
}

/** KVM_EXIT_HYPERCALL: a hypercall that the host wants to handle. */
export interface HypercallExit {
  /** Tells the exit from the others. */
  readonly reason: "hypercall";
  /** The number that the guest gave. */
  readonly number: bigint;
  /** Its arguments. */
  readonly args: readonly bigint[];
  /** KVM_EXIT_HYPERCALL_*; bit 0: the guest was in 64-bit mode. */
  readonly flags: bigint;
}

/** KVM_EXIT_SET_TPR: CR8 was written while the host holds the local APIC. */
export interface SetTprExit {
  /** Tells the exit from the others. */
  readonly reason: "set-tpr";
}

/** KVM_EXIT_TPR_ACCESS: the guest accessed the task-priority register of the local APIC. */
export interface TprAccessExit {
  /** Tells the exit from the others. */
  readonly reason: "tpr-access";
  /** Address of the instruction. */
  readonly rip: bigint;
  /** Whether it was written. */
  readonly isWrite: boolean;
}

/** KVM_EXIT_IOAPIC_EOI: a level-triggered interrupt of a user-space IOAPIC was acknowledged. */
export interface IoapicEoiExit {
  /** Tells the exit from the others. */
  readonly reason: "ioapic-eoi";
  /** Its vector, 0 to 255. */
  readonly vector: number;
}

/** KVM_EXIT_DIRTY_RING_FULL: the vCPU's dirty ring wants to be harvested. */
export interface DirtyRingFullExit {
  /** Tells the exit from the others. */
  readonly reason: "dirty-ring-full";
}

/** KVM_EXIT_X86_BUS_LOCK: the guest took a bus lock. */
export interface BusLockExit {
  /** Tells the exit from the others. */
  readonly reason: "bus-lock";
}

/** KVM_EXIT_NOTIFY: the guest let no event window open for too long. */
export interface NotifyExit {
  /** Tells the exit from the others. */
  readonly reason: "notify";
  /** KVM_NOTIFY_*; bit 0: the context is invalid. */
  readonly flags: number;
}

/** KVM_EXIT_MEMORY_FAULT: the vCPU accessed guest memory in a way that KVM cannot resolve. */
export interface MemoryFaultExit {
  /** Tells the exit from the others. */
  readonly reason: "memory-fault";
  /** KVM_MEMORY_EXIT_FLAG_*; bit 3: a private access. */
  readonly flags: bigint;
  /** Guest physical address. */
  readonly address: bigint;
  /** Bytes. */
  readonly size: bigint;
}

/** KVM_EXIT_EXCEPTION: an exception that KVM cannot handle; no KVM of today has it on x86. */
export interface ExceptionExit {
  /** Tells the exit from the others. */
  readonly reason: "exception";
  /** The vector. */
  readonly exception: number;
  /** Its error code. */
  readonly errorCode: number;
}

/** KVM_EXIT_AP_RESET_HOLD: a SEV-ES guest's application processor waits to be started. */
export interface ApResetHoldExit {
  /** Tells the exit from the others. */
  readonly reason: "ap-reset-hold";
}

/** KVM_EXIT_HYPERV, SYNIC: the guest wrote an MSR of its synthetic interrupt controller. */
export interface HypervSynicExit {
  /** Tells the exit from the others. */
  readonly reason: "hyperv-synic";
  /** The MSR. */
  readonly msr: number;
  /** SCONTROL. */
  readonly control: bigint;
  /** SIEFP: the page of events. */
  readonly eventPage: bigint;
  /** SIMP: the page of messages. */
  readonly messagePage: bigint;
}

/** KVM_EXIT_HYPERV, HCALL: a hypercall of Hyper-V's that the host handles; {@link Vcpu.answer}. */
export interface HypervHypercallExit {
  /** Tells the exit from the others. */
  readonly reason: "hyperv-hypercall";
  /** The input value: code, flags, repetitions. */
  readonly input: bigint;
  /** Its two parameters. */
  readonly params: readonly bigint[];
}

/** KVM_EXIT_HYPERV, SYNDBG: the guest wrote an MSR of the debugger; {@link Vcpu.answer}: status. */
export interface HypervDebugExit {
  /** Tells the exit from the others. */
  readonly reason: "hyperv-debug";
  /** The MSR. */
  readonly msr: number;
  /** What the guest asks for. */
  readonly control: bigint;
  /** Guest physical address of what it sends. */
  readonly sendPage: bigint;
  /** Guest physical address where it receives. */
  readonly receivePage: bigint;
  /** Guest physical address of what is pending. */
  readonly pendingPage: bigint;
}

/** KVM_EXIT_XEN, HCALL: a hypercall of Xen's that the host handles; {@link Vcpu.answer}. */
export interface XenHypercallExit {
  /** Tells the exit from the others. */
  readonly reason: "xen-hypercall";
  /** Whether the guest was in 64-bit mode. */
  readonly longMode: boolean;
  /** The privilege level that it was made at. */
  readonly cpl: number;
  /** Its number. */
  readonly input: bigint;
  /** Its six parameters. */
  readonly params: readonly bigint[];
}

/** An exit that only another architecture than x86 has, by the name of the C header. */
export interface OtherArchitectureExit {
  /** Tells the exit from the others. */
  readonly reason: "other-architecture";
  /** KVM_EXIT_*. */
  readonly name: string;
  /** The number in `exit_reason`. */
  readonly exitReason: number;
  /** The 256 bytes of the union in `struct kvm_run`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** KVM_EXIT_UNKNOWN, or an exit reason that Trapline does not know. */
export interface UnknownExit {
  /** Tells the exit from the others. */
  readonly reason: "unknown";
  /** The number in `exit_reason`; 0 is KVM_EXIT_UNKNOWN itself. */
  readonly exitReason: number;
  /** The vendor's exit reason, where `exit_reason` is KVM_EXIT_UNKNOWN. */
  readonly hardwareReason: bigint;
  /** The 256 bytes of the union in `struct kvm_run`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Why KVM_RUN returned. */
export type Exit =
  | PioExit
  | MmioExit
  | HltExit
  | ShutdownExit
  | IrqWindowExit
  | IntrExit
  | NmiExit
  | DebugExit
  | MsrExit
  | InternalErrorExit
  | FailEntryExit
  | SystemEventExit
  | HypercallExit
  | SetTprExit
  | TprAccessExit
  | IoapicEoiExit
  | DirtyRingFullExit
  | BusLockExit
  | NotifyExit
  | MemoryFaultExit
  | ExceptionExit
  | ApResetHoldExit
  | HypervSynicExit
  | HypervHypercallExit
  | HypervDebugExit
  | XenHypercallExit
  | OtherArchitectureExit
  | UnknownExit;
