import { decode, encode, type Layout, type ValueOf } from "../../ffi/abi/layout.ts";
import { kvm_translation } from "../../ffi/abi/memory.ts";
import {
  kvm_cpuid2,
  kvm_cpuid_entry2,
  kvm_debugregs,
  kvm_mp_state,
  kvm_regs,
  kvm_sregs,
  kvm_vcpu_events,
} from "../../ffi/abi/registers.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type {
  CpuidEntry,
  DebugRegisters,
  MsrEntry,
  Registers,
  SystemRegisters,
  Translation,
  VcpuEvents,
} from "../x86/state.ts";
import { act, type ActionOperand, type Observed } from "./action.ts";
import { ioctlBuffer } from "./ioctl.ts";
import { decodeMsrs, msrBuffer } from "./msr_buffer.ts";

const scratch = new Map<Layout, DataView<ArrayBuffer>>();

/** A buffer for one structure, made once: an ioctl is done with it when it returns. */
function buffer(layout: Layout): DataView<ArrayBuffer> {
  let view = scratch.get(layout);
  if (view === undefined) {
    view = new DataView(new ArrayBuffer(layout.size));
    scratch.set(layout, view);
  }
  return view;
}

/** The state of a vCPU, as KVM's ioctls save and restore it. */
export class VcpuState {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;

  /** Made by {@link Vcpu}. */
  constructor(fd: FileDescriptor, observed: Observed) {
    this.#fd = fd;
    this.#observed = observed;
  }

  /**
   * General registers, RIP and RFLAGS (KVM_GET_REGS, KVM API 4.11).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  regs(): Registers {
    return this.#get("KVM_GET_REGS", kvm_regs);
  }

  /**
   * Sets them all (KVM_SET_REGS, KVM API 4.12). `{ ...vcpu.regs(), rip: 0x8000n }` changes one.
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {LayoutError} when a register is missing or beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setRegs(registers: Registers): void {
    this.#set("set-regs", "KVM_SET_REGS", kvm_regs, registers);
  }

  /**
   * Segments, descriptor tables, control registers, EFER and the APIC base (KVM_GET_SREGS, KVM API
   * 4.13).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  sregs(): SystemRegisters {
    return this.#get("KVM_GET_SREGS", kvm_sregs);
  }

  /**
   * Sets them all (KVM_SET_SREGS, KVM API 4.14).
   *
   * @throws {KvmError} EINVAL when they contradict each other.
   * @throws {LayoutError} when a register is missing or beyond its size.
   * @throws {DisposedError} after disposal.
   */
  setSregs(registers: SystemRegisters): void {
    this.#set("set-sregs", "KVM_SET_SREGS", kvm_sregs, registers);
  }

  /**
   * DR0 to DR3, DR6, DR7 (KVM_GET_DEBUGREGS, KVM API 4.33).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  debugRegs(): DebugRegisters {
    return this.#get("KVM_GET_DEBUGREGS", kvm_debugregs);
  }

  /**
   * Sets the debug registers (KVM_SET_DEBUGREGS, KVM API 4.34).
   *
   * @throws {KvmError} EINVAL for flags, or bits above 31 in DR6 or DR7.
   * @throws {LayoutError} when a register is missing or beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setDebugRegs(registers: DebugRegisters): void {
    this.#set("set-debugregs", "KVM_SET_DEBUGREGS", kvm_debugregs, registers);
  }

  /**
   * Exceptions, interrupts, NMIs and SMIs that wait, and what holds them back (KVM_GET_VCPU_EVENTS,
   * KVM API 4.31).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  events(): VcpuEvents {
    return this.#get("KVM_GET_VCPU_EVENTS", kvm_vcpu_events);
  }

  /**
   * Sets the waiting events (KVM_SET_VCPU_EVENTS, KVM API 4.32).
   *
   * @throws {KvmError} EINVAL when flags or an event is invalid.
   * @throws {LayoutError} when a member is missing or beyond its size.
   * @throws {DisposedError} after disposal.
   */
  setEvents(events: VcpuEvents): void {
    this.#set("set-events", "KVM_SET_VCPU_EVENTS", kvm_vcpu_events, events);
  }

  /**
   * Whether the vCPU runs, waits or halts (KVM_GET_MP_STATE, KVM API 4.38): 0 runnable, 1
   * uninitialized, 2 init-received, 3 halted, 4 sipi-received.
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  mpState(): number {
    return this.#get("KVM_GET_MP_STATE", kvm_mp_state).mp_state;
  }

  /**
   * Sets the multiprocessing state (KVM_SET_MP_STATE, KVM API 4.39).
   *
   * @throws {KvmError} EINVAL for a state that needs an in-kernel local APIC, or is none.
   * @throws {DisposedError} after disposal.
   */
  setMpState(state: number): void {
    this.#set("set-mp-state", "KVM_SET_MP_STATE", kvm_mp_state, { mp_state: state }, [state]);
  }

  /**
   * Reads model-specific registers (KVM_GET_MSRS, KVM API 4.18).
   *
   * @returns as many as KVM could read, in order: it stops at the first it refuses
   * @throws {KvmError} E2BIG when there are too many.
   * @throws {DisposedError} after disposal.
   */
  msrs(indices: readonly number[]): MsrEntry[] {
    const view = msrBuffer(indices.map((index) => ({ index, data: 0n })));
    return decodeMsrs(view, ioctlBuffer(this.#fd, "KVM_GET_MSRS", view));
  }

  /**
   * Writes model-specific registers (KVM_SET_MSRS, KVM API 4.19).
   *
   * @returns how many KVM wrote, in order: it stops at the first it refuses
   * @throws {KvmError} E2BIG when there are too many.
   * @throws {DisposedError} after disposal.
   */
  setMsrs(entries: readonly MsrEntry[]): number {
    const operands = entries.map(({ index, data }): ActionOperand => [
      `msr.0x${index.toString(16)}`,
      data,
    ]);
    return act(
      this.#observed,
      "set-msrs",
      operands,
      () => ioctlBuffer(this.#fd, "KVM_SET_MSRS", msrBuffer(entries)),
      (count) => BigInt(count),
    );
  }

  /**
   * Sets what CPUID answers (KVM_SET_CPUID2, KVM API 4.20).
   *
   * @throws {KvmError} E2BIG when there are too many entries, EINVAL when one is invalid or changes
   * after the vCPU has run.
   * @throws {DisposedError} after disposal.
   */
  setCpuid(entries: readonly CpuidEntry[]): void {
    act(
      this.#observed,
      "set-cpuid",
      [],
      () => ioctlBuffer(this.#fd, "KVM_SET_CPUID2", cpuidBuffer(entries)),
    );
  }

  /**
   * Walks the guest's page tables (KVM_TRANSLATE, KVM API 4.15).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  translate(linearAddress: bigint): Translation {
    const view = buffer(kvm_translation);
    view.setBigUint64(kvm_translation.fields.linear_address[0], linearAddress, true);
    ioctlBuffer(this.#fd, "KVM_TRANSLATE", view);
    return decode(kvm_translation, view);
  }

  #get<L extends Layout>(name: IoctlName, layout: L): ValueOf<L> {
    const view = buffer(layout);
    ioctlBuffer(this.#fd, name, view);
    return decode(layout, view);
  }

  #set<L extends Layout>(
    action: string,
    name: IoctlName,
    layout: L,
    value: ValueOf<L>,
    operands: readonly ActionOperand[] = [],
  ): void {
    act(this.#observed, action, operands, () => {
      const view = buffer(layout);
      encode(layout, view, value);
      ioctlBuffer(this.#fd, name, view);
    });
  }
}

const encodedCpuid = new WeakMap<readonly CpuidEntry[], DataView<ArrayBuffer>>();

/** The same list goes to one vCPU after another, so what it encodes to is kept. */
function cpuidBuffer(entries: readonly CpuidEntry[]): DataView<ArrayBuffer> {
  const known = encodedCpuid.get(entries);
  if (known !== undefined) return known;
  const { size } = kvm_cpuid_entry2;
  const view = new DataView(new ArrayBuffer(kvm_cpuid2.size + entries.length * size));
  view.setUint32(kvm_cpuid2.fields.nent[0], entries.length, true);
  entries.forEach((entry, position) => {
    encode(kvm_cpuid_entry2, view, entry, kvm_cpuid2.size + position * size);
  });
  if (Object.isFrozen(entries)) encodedCpuid.set(entries, view);
  return view;
}
