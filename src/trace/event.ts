/**
 * The events of a trace: what a guest did (exits), what the host did (actions), and what was left
 * (final state).
 *
 * Every number that the text writes in hexadecimal is a `bigint`; sizes (in bytes), counts and vCPU
 * indexes are `number`s. Each type takes a parameter `H`: `never` for a recorded trace, {@link Hole}
 * for an expected one, so the compiler keeps patterns out of recorded traces.
 *
 * @module
 */

/** `*` in an expected trace: any one operand. */
export interface Wildcard {
  /** Tells a wildcard from a choice. */
  readonly any: true;
}

/** `0x1|0x2` in an expected trace: any of these operands, none of which is a list. */
export interface Choice {
  /** The alternatives, in the order of the text. The host answers the first of them. */
  readonly oneOf: readonly (bigint | string)[];
}

/** What an expected trace may say in place of one operand. */
export type Hole = Wildcard | Choice;

/** The wildcard `*`. */
export const ANY: Wildcard = { any: true };

/** What every event has. */
export interface Line<K extends string> {
  /** What the line tells of: the first word of its text, for the guest's events. */
  readonly kind: K;
  /** Index of the vCPU, the line's prefix `N: `; absent where there is one vCPU, or none is meant. */
  readonly vcpu?: number;
}

/**
 * The value or values of an access: one value for one access, a list for several in order. A list of
 * one and a value are different texts, and for MMIO different promises (only a list may be split).
 */
export type Data<H = never> = bigint | H | readonly (bigint | H)[];

/** KVM_EXIT_IO: `pio out 0x3f8 u8 0x41`, `pio in 0x10 u16 -> [0x1 0x2]`. */
export interface Pio<H = never> extends Line<"pio"> {
  /** `out`: the guest wrote; `in`: the guest read, and `value` is what the host answered. */
  readonly direction: "in" | "out";
  /** I/O port, 16 bits. */
  readonly port: bigint | H;
  /** Bytes of one element. */
  readonly size: 1 | 2 | 4;
  /** A list where KVM delivered several elements in one exit (string I/O). */
  readonly value: Data<H>;
}

/** Bytes of one MMIO access; KVM's `mmio.len` is any of these when an access is split. */
export type AccessSize = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** KVM_EXIT_MMIO: `mmio write 0xd0000000 u32 0x1`, `mmio read 0xd0000000 u8 -> 0xff`. */
export interface Mmio<H = never> extends Line<"mmio"> {
  /** `write`: the guest wrote; `read`: the guest read, and `value` is what the host answered. */
  readonly direction: "read" | "write";
  /** Guest physical address of the first byte. */
  readonly address: bigint | H;
  /** Bytes of one element. */
  readonly size: AccessSize;
  /** Little endian; a list is a run of elements at consecutive addresses. */
  readonly value: Data<H>;
}

/**
 * An exit without operands, by its KVM_EXIT_ name; `irq-window` is KVM_EXIT_IRQ_WINDOW_OPEN, and
 * `timeout` is no exit: the watchdog ended the guest.
 */
export type Bare = Line<
  | "hlt"
  | "shutdown"
  | "irq-window"
  | "intr"
  | "nmi"
  | "set-tpr"
  | "dirty-ring-full"
  | "bus-lock"
  | "ap-reset-hold"
  | "timeout"
>;

/** KVM_EXIT_DEBUG: `debug exception=0x1 rip=0x7c04 dr6=0xffff4ff0 dr7=0x400`. */
export interface Debug<H = never> extends Line<"debug"> {
  /** Vector: 0x1 for #DB, 0x3 for #BP. */
  readonly exception: bigint | H;
  /** `debug.arch.pc`. */
  readonly rip: bigint | H;
  /** `debug.arch.dr6`. */
  readonly dr6: bigint | H;
  /** `debug.arch.dr7`; an expected trace that omits it leaves it open. */
  readonly dr7?: bigint | H;
}

/** Why KVM handed an MSR access to user space: KVM_MSR_EXIT_REASON_FILTER, _UNKNOWN, _INVAL. */
export type MsrReason = "filter" | "unknown" | "inval";

/** KVM_EXIT_X86_RDMSR: `rdmsr 0x4b564d00 reason=filter -> 0x0`. */
export interface Rdmsr<H = never> extends Line<"rdmsr"> {
  /** MSR index, 32 bits. */
  readonly index: bigint | H;
  /** An expected trace that omits it leaves it open. */
  readonly reason?: MsrReason | H;
  /** What the host answered: EDX:EAX, or `error`, for which KVM injects #GP. */
  readonly answer: bigint | "error" | H;
}

/** KVM_EXIT_X86_WRMSR: `wrmsr 0x4b564d00 0x1`, `wrmsr 0x4b564d00 0x1 -> error`. */
export interface Wrmsr<H = never> extends Line<"wrmsr"> {
  /** MSR index, 32 bits. */
  readonly index: bigint | H;
  /** EDX:EAX. */
  readonly value: bigint | H;
  /** An expected trace that omits it leaves it open. */
  readonly reason?: MsrReason | H;
  /** `error` where the host refused the write (KVM injects #GP); absent where it took it. */
  readonly answer?: "error" | H;
}

/** KVM_EXIT_INTERNAL_ERROR: `internal-error emulation`. */
export interface InternalError<H = never> extends Line<"internal-error"> {
  /** `internal.suberror` by its KVM_INTERNAL_ERROR_ name, or a number for one without a name. */
  readonly suberror:
    | "emulation"
    | "simul-ex"
    | "delivery-ev"
    | "unexpected-exit-reason"
    | bigint
    | H;
}

/** KVM_EXIT_FAIL_ENTRY: `fail-entry 0x80000021`. */
export interface FailEntry<H = never> extends Line<"fail-entry"> {
  /** `fail_entry.hardware_entry_failure_reason`, 64 bits. */
  readonly reason: bigint | H;
}

/** KVM_EXIT_SYSTEM_EVENT: `system-event reset`. */
export interface SystemEvent<H = never> extends Line<"system-event"> {
  /** `system_event.type` by its KVM_SYSTEM_EVENT_ name, or a number for one without a name. */
  readonly type:
    | "shutdown"
    | "reset"
    | "crash"
    | "wakeup"
    | "suspend"
    | "sev-term"
    | bigint
    | H;
}

/** KVM_EXIT_TPR_ACCESS: `tpr-access rip=0x7c00 write=0x1`. What is omitted is left open. */
export interface TprAccess<H = never> extends Line<"tpr-access"> {
  /** `tpr_access.rip`. */
  readonly rip?: bigint | H;
  /** `tpr_access.is_write`. */
  readonly write?: bigint | H;
}

/** KVM_EXIT_IOAPIC_EOI: `ioapic-eoi 0x31`. */
export interface IoapicEoi<H = never> extends Line<"ioapic-eoi"> {
  /** `eoi.vector`, 8 bits. */
  readonly vector: bigint | H;
}

/** KVM_EXIT_HYPERCALL: `hypercall 0xc [0x1000 0x1 0x10] flags=0x1 -> 0x0`. */
export interface Hypercall<H = never> extends Line<"hypercall"> {
  /** `hypercall.nr`. */
  readonly nr: bigint | H;
  /** `hypercall.args`; an expected trace that omits them leaves them open. */
  readonly args?: readonly (bigint | H)[];
  /** `hypercall.flags`; an expected trace that omits them leaves them open. */
  readonly flags?: bigint | H;
  /** `hypercall.ret`, what the host answered; omitted, the host answers 0 and it is left open. */
  readonly answer?: bigint | H;
}

/** KVM_EXIT_NOTIFY: `notify flags=0x0`. */
export interface Notify<H = never> extends Line<"notify"> {
  /** `notify.flags`; an expected trace that omits them leaves them open. */
  readonly flags?: bigint | H;
}

/** KVM_EXIT_MEMORY_FAULT: `memory-fault flags=0x8 gpa=0x1000 size=0x1000`. */
export interface MemoryFault<H = never> extends Line<"memory-fault"> {
  /** `memory_fault.flags`. */
  readonly flags: bigint | H;
  /** Guest physical address. */
  readonly gpa: bigint | H;
  /** Bytes. */
  readonly size: bigint | H;
}

/** KVM_EXIT_EXCEPTION: `exception 0xe error=0x2`. */
export interface Exception<H = never> extends Line<"exception"> {
  /** `ex.exception`, the vector. */
  readonly vector: bigint | H;
  /** `ex.error_code`; an expected trace that omits it leaves it open. */
  readonly error?: bigint | H;
}

/** KVM_EXIT_XEN, HCALL: `xen-hypercall 0x28 [0x1 0x2 0x3 0x4 0x5 0x6] long=0x1 cpl=0x0 -> 0x0`. */
export interface XenHypercall<H = never> extends Line<"xen-hypercall"> {
  /** `xen.u.hcall.input`, the hypercall's number. */
  readonly nr: bigint | H;
  /** `xen.u.hcall.params`; an expected trace that omits them leaves them open. */
  readonly args?: readonly (bigint | H)[];
  /** `xen.u.hcall.longmode`; an expected trace that omits it leaves it open. */
  readonly long?: bigint | H;
  /** `xen.u.hcall.cpl`; an expected trace that omits it leaves it open. */
  readonly cpl?: bigint | H;
  /** `xen.u.hcall.result`, what the host answered; omitted, it answers 0 and it is left open. */
  readonly answer?: bigint | H;
}

/** KVM_EXIT_HYPERV, SYNIC: `hyperv-synic 0x40000080 control=0x1 siefp=0x0 simp=0x0`. */
export interface HypervSynic<H = never> extends Line<"hyperv-synic"> {
  /** `hyperv.u.synic.msr`, the MSR that was written. */
  readonly index: bigint | H;
  /** `hyperv.u.synic.control`: SCONTROL. */
  readonly control: bigint | H;
  /** `hyperv.u.synic.evt_page`: SIEFP. */
  readonly siefp: bigint | H;
  /** `hyperv.u.synic.msg_page`: SIMP. */
  readonly simp: bigint | H;
}

/** KVM_EXIT_HYPERV, HCALL: `hyperv-hypercall 0x5c [0xb000 0x0] -> 0x0`. */
export interface HypervHypercall<H = never> extends Line<"hyperv-hypercall"> {
  /** `hyperv.u.hcall.input`: code, flags, repetitions. */
  readonly input: bigint | H;
  /** `hyperv.u.hcall.params`; an expected trace that omits them leaves them open. */
  readonly args?: readonly (bigint | H)[];
  /** `hyperv.u.hcall.result`, what the host answered; omitted, it answers 0 and it is left open. */
  readonly answer?: bigint | H;
}

/**
 * KVM_EXIT_HYPERV, SYNDBG:
 * `hyperv-debug 0x400000f1 control=0x1 send=0xb000 receive=0xc000 pending=0xd000 -> 0x0`.
 */
export interface HypervDebug<H = never> extends Line<"hyperv-debug"> {
  /** `hyperv.u.syndbg.msr`, the MSR that was written. */
  readonly index: bigint | H;
  /** `hyperv.u.syndbg.control`. */
  readonly control: bigint | H;
  /** `hyperv.u.syndbg.send_page`, guest physical. */
  readonly send: bigint | H;
  /** `hyperv.u.syndbg.recv_page`, guest physical. */
  readonly receive: bigint | H;
  /** `hyperv.u.syndbg.pending_page`, guest physical. */
  readonly pending: bigint | H;
  /** `hyperv.u.syndbg.status`, what the host answered; omitted, it answers 0 and it is left open. */
  readonly answer?: bigint | H;
}

/** An exit that has no form of its own here, KVM_EXIT_UNKNOWN among them: `unknown 0x0`. */
export interface Unknown<H = never> extends Line<"unknown"> {
  /** `kvm_run.exit_reason`, 32 bits. */
  readonly reason: bigint | H;
}

/** What a vCPU did: one return of KVM_RUN. */
export type GuestEvent<H = never> =
  | Pio<H>
  | Mmio<H>
  | Bare
  | Debug<H>
  | Rdmsr<H>
  | Wrmsr<H>
  | InternalError<H>
  | FailEntry<H>
  | SystemEvent<H>
  | TprAccess<H>
  | IoapicEoi<H>
  | Hypercall<H>
  | Notify<H>
  | MemoryFault<H>
  | Exception<H>
  | XenHypercall<H>
  | HypervSynic<H>
  | HypervHypercall<H>
  | HypervDebug<H>
  | Unknown<H>;

/** A number, a word (in an answer also an errno's name), or a list of them. */
export type Operand<H = never> = bigint | string | H | readonly (bigint | string | H)[];

/** An operand written `key=value`. */
export interface KeyedOperand<H = never> {
  /** The word left of `=`. */
  readonly key: string;
  /** What stands right of it. */
  readonly value: Operand<H>;
}

/** What the host did: `> slot 0x1 gpa=0x1000 size=0x2000 -> EEXIST`. */
export interface Action<H = never> extends Line<"action"> {
  /** A lower-case word. */
  readonly name: string;
  /** In the order of the text. */
  readonly operands: readonly (Operand<H> | KeyedOperand<H>)[];
  /** What the kernel answered, where the trace says it. */
  readonly answer?: Operand<H>;
}

/** A register or another named quantity at the end: `= rax 0x1234`, `= msr.0xc0000080 0x500`. */
export interface State<H = never> extends Line<"state"> {
  /** Words and numbers joined by dots. */
  readonly name: string;
  /** At most 64 bits each; what is wider is a list, low part first. */
  readonly value: Data<H>;
}

/** Guest memory at the end: `= mem 0x8000 u8 [0x11 0x22]`. */
export interface Memory<H = never> extends Line<"memory"> {
  /** Guest physical address. It names the line, so it is never a pattern. */
  readonly address: bigint;
  /** Bytes of one element. */
  readonly size: AccessSize;
  /** Little endian; a list is a run of elements at consecutive addresses. */
  readonly value: Data<H>;
}

/** What happens in an order: exits and actions. */
export type StreamEvent<H = never> = GuestEvent<H> | Action<H>;

/** What is left when the guest has ended, in no order. */
export type StateEvent<H = never> = State<H> | Memory<H>;

/** One line of a trace. */
export type TraceEvent<H = never> = StreamEvent<H> | StateEvent<H>;

/** A line of alternatives in an expected trace: `hlt | shutdown`. */
export interface Either extends Line<"either"> {
  /** At least two, in the order of the text, without a vCPU of their own. */
  readonly alternatives: readonly StreamEvent<Hole>[];
}

/** One line of an expected trace. */
export type ExpectedLine = TraceEvent<Hole> | Either;

/** A recorded trace: no patterns; final state last. */
export type Trace = readonly TraceEvent[];

/** What a case expects: a trace that may hold patterns. A recorded trace is one too. */
export type ExpectedTrace = readonly ExpectedLine[];

/** Whether an operand is a pattern (`*` or `0x1|0x2`). */
export function isHole<T>(operand: T | Hole): operand is Hole {
  return typeof operand === "object" && operand !== null &&
    ("any" in operand || "oneOf" in operand);
}

/** Whether a line tells of the final state. */
export function isState<H>(line: TraceEvent<H> | Either): line is StateEvent<H> {
  return line.kind === "state" || line.kind === "memory";
}

/** Whether an operand of an action is written `key=value`. */
export function isKeyed<H>(operand: Operand<H> | KeyedOperand<H>): operand is KeyedOperand<H> {
  return typeof operand === "object" && operand !== null && "key" in operand;
}

/** The name of a state line, by which expected and actual ones are paired; unique in a trace. */
export function stateKey(line: StateEvent<Hole>): string {
  const name = line.kind === "memory" ? `mem 0x${line.address.toString(16)}` : line.name;
  return line.vcpu === undefined ? name : `${line.vcpu}: ${name}`;
}
