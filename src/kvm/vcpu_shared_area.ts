import { kvm_run } from "../../ffi/abi/run.ts";
import { unsigned64 } from "../../ffi/argument.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type { Mapping } from "../../ffi/mapping.ts";
import { act, type Observed } from "./action.ts";
import { type CoalescedWrite, takeCoalesced } from "./coalesced.ts";
import { SharedRegisters } from "./shared_registers.ts";
import { VcpuControl } from "./vcpu_control.ts";

const fields = kvm_run.fields;

/** The area that a vCPU shares with KVM (`struct kvm_run`, KVM API 5), but for its exits. */
export class VcpuSharedArea extends VcpuControl {
  readonly #fd: FileDescriptor;
  readonly #view: DataView<ArrayBuffer>;
  readonly #observed: Observed;
  /** Its registers in the area (KVM_CAP_SYNC_REGS). */
  readonly shared: SharedRegisters;

  /** Made by {@link Vcpu}. */
  constructor(vm: FileDescriptor, fd: FileDescriptor, observed: Observed, run: Mapping) {
    super(vm, fd, observed);
    this.#fd = fd;
    this.#view = run.view;
    this.#observed = observed;
    this.shared = new SharedRegisters(() => run.view, observed);
  }

  /**
   * Whether KVM_RUN returns before it enters the guest (`immediate_exit`, KVM API 5): it completes
   * what the last exit left pending and nothing more.
   *
   * @throws {DisposedError} after disposal.
   */
  get immediateExit(): boolean {
    return this.#shared(fields.immediate_exit[0]) !== 0;
  }

  /** Sets or clears it. */
  set immediateExit(on: boolean) {
    this.#fd.number;
    act(this.#observed, "immediate-exit", [on ? 1 : 0], () => {
      this.#view.setUint8(fields.immediate_exit[0], on ? 1 : 0);
    });
  }

  /**
   * Whether KVM_RUN returns when the guest could take an interrupt (`request_interrupt_window`).
   *
   * @throws {DisposedError} after disposal.
   */
  get requestInterruptWindow(): boolean {
    return this.#shared(fields.request_interrupt_window[0]) !== 0;
  }

  /** Sets or clears it. */
  set requestInterruptWindow(on: boolean) {
    this.#fd.number;
    act(this.#observed, "request-irq-window", [on ? 1 : 0], () => {
      this.#view.setUint8(fields.request_interrupt_window[0], on ? 1 : 0);
    });
  }

  /**
   * Whether the guest could take an interrupt at the last exit (`ready_for_interrupt_injection`).
   *
   * @throws {DisposedError} after disposal.
   */
  get readyForInterruptInjection(): boolean {
    return this.#shared(fields.ready_for_interrupt_injection[0]) !== 0;
  }

  /**
   * RFLAGS.IF at the last exit (`if_flag`); without an in-kernel local APIC only.
   *
   * @throws {DisposedError} after disposal.
   */
  get ifFlag(): boolean {
    return this.#shared(fields.if_flag[0]) !== 0;
  }

  /**
   * CR8 at the last exit (`cr8`); without an in-kernel local APIC only.
   *
   * @throws {DisposedError} after disposal.
   */
  get cr8(): bigint {
    this.#fd.number;
    return this.#view.getBigUint64(fields.cr8[0], true);
  }

  /** Sets what the next run takes CR8 from; {@link setSregs} alone does not last. */
  set cr8(value: bigint) {
    this.#fd.number;
    unsigned64("CR8", value);
    act(this.#observed, "cr8", [value], () => {
      this.#view.setBigUint64(fields.cr8[0], BigInt(value), true);
    });
  }

  /**
   * IA32_APIC_BASE at the last exit (`apic_base`); without an in-kernel local APIC only.
   *
   * @throws {DisposedError} after disposal.
   */
  get apicBase(): bigint {
    this.#fd.number;
    return this.#view.getBigUint64(fields.apic_base[0], true);
  }

  /**
   * Takes the coalesced writes out of the ring that the VM's vCPUs share, oldest first
   * ({@link IoEvents.coalesce}; KVM_CAP_COALESCED_MMIO, KVM API 4.116).
   *
   * @throws {DisposedError} after disposal.
   */
  takeCoalesced(): CoalescedWrite[] {
    this.#fd.number;
    return takeCoalesced(this.#view);
  }

  #shared(offset: number): number {
    this.#fd.number;
    return this.#view.getUint8(offset);
  }
}
