import { list, object, shown, unsigned32 } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { capabilities } from "../../ffi/abi/capabilities.ts";
import { kvm_lapic_state } from "../../ffi/abi/interrupts.ts";
import { decode, encode, LayoutError } from "../../ffi/abi/layout.ts";
import { kvm_translation } from "../../ffi/abi/memory.ts";
import {
  kvm_mp_state,
  kvm_nested_state,
  kvm_one_reg,
  kvm_vcpu_events,
} from "../../ffi/abi/registers.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type { MsrEntry, NestedState, Translation, VcpuEvents } from "../x86/state.ts";
import { act, type ActionOperand, type Observed } from "./action.ts";
import { bufferAddress, getAttribute, hasAttribute, setAttribute } from "./device_attribute.ts";
import { ioctlBuffer, ioctlValue } from "./ioctl.ts";
import { getState, scratchBuffer, setState } from "./state_ioctl.ts";
import { VcpuCpuid } from "./vcpu_cpuid.ts";
import { decodeMsrs, msrBuffer } from "./msr_buffer.ts";

/** The state of a vCPU, as KVM's ioctls save and restore it. */
export class VcpuState extends VcpuCpuid {
  readonly #vm: FileDescriptor;
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;

  /** Made by {@link Vcpu}. */
  constructor(vm: FileDescriptor, fd: FileDescriptor, observed: Observed) {
    super(vm, fd, observed);
    this.#vm = vm;
    this.#fd = fd;
    this.#observed = observed;
  }

  /**
   * Exceptions, interrupts, NMIs and SMIs that wait, and what holds them back (KVM_GET_VCPU_EVENTS,
   * KVM API 4.31).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  events(): VcpuEvents {
    return getState(this.#fd, "KVM_GET_VCPU_EVENTS", kvm_vcpu_events);
  }

  /**
   * Sets the waiting events (KVM_SET_VCPU_EVENTS, KVM API 4.32).
   *
   * @throws {KvmError} EINVAL when flags or an event is invalid.
   * @throws {LayoutError} when a member is missing or beyond its size.
   * @throws {DisposedError} after disposal.
   */
  setEvents(events: VcpuEvents): void {
    setState(
      this.#fd,
      this.#observed,
      "set-events",
      "KVM_SET_VCPU_EVENTS",
      kvm_vcpu_events,
      events,
    );
  }

  /**
   * Whether the vCPU runs, waits or halts (KVM_GET_MP_STATE, KVM API 4.38): 0 runnable, 1
   * uninitialized, 2 init-received, 3 halted, 4 sipi-received.
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  mpState(): number {
    return getState(this.#fd, "KVM_GET_MP_STATE", kvm_mp_state).mp_state;
  }

  /**
   * Sets the multiprocessing state (KVM_SET_MP_STATE, KVM API 4.39).
   *
   * @throws {KvmError} EINVAL for a state that needs an in-kernel local APIC, or is none.
   * @throws {DisposedError} after disposal.
   */
  setMpState(state: number): void {
    setState(this.#fd, this.#observed, "set-mp-state", "KVM_SET_MP_STATE", kvm_mp_state, {
      mp_state: state,
    }, [state]);
  }

  /**
   * Reads model-specific registers (KVM_GET_MSRS, KVM API 4.18).
   *
   * @returns as many as KVM could read, in order: it stops at the first it refuses
   * @throws {KvmError} E2BIG when there are too many.
   * @throws {ArgumentError} when it is no list.
   * @throws {LayoutError} when an index is not 32 bits.
   * @throws {DisposedError} after disposal.
   */
  msrs(indices: readonly number[]): MsrEntry[] {
    list("the MSRs", indices);
    const view = msrBuffer(indices.map((index) => ({ index, data: 0n })));
    return decodeMsrs(view, ioctlBuffer(this.#fd, "KVM_GET_MSRS", view));
  }

  /**
   * Writes model-specific registers (KVM_SET_MSRS, KVM API 4.19).
   *
   * @returns how many KVM wrote, in order: it stops at the first it refuses
   * @throws {KvmError} E2BIG when there are too many.
   * @throws {ArgumentError} when it is no list, or an index not 32 bits.
   * @throws {LayoutError} when a value is not 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setMsrs(entries: readonly MsrEntry[]): number {
    list("the MSRs", entries);
    for (const entry of entries) unsigned32("the index of an MSR", object("an MSR", entry).index);
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
   * Walks the guest's page tables (KVM_TRANSLATE, KVM API 4.15).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {LayoutError} when the address is beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  translate(linearAddress: bigint): Translation {
    const view = scratchBuffer(kvm_translation);
    const nothing = { physical_address: 0n, valid: 0, writeable: 0, usermode: 0 };
    encode(kvm_translation, view, { linear_address: linearAddress, ...nothing });
    ioctlBuffer(this.#fd, "KVM_TRANSLATE", view);
    return decode(kvm_translation, view);
  }

  /**
   * The registers of the in-kernel local APIC, 16 bytes apart (KVM_GET_LAPIC, KVM API 4.57).
   *
   * @returns 1024 bytes
   * @throws {KvmError} EINVAL without an in-kernel local APIC.
   * @throws {DisposedError} after disposal.
   */
  lapic(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(new ArrayBuffer(kvm_lapic_state.size));
    ioctlBuffer(this.#fd, "KVM_GET_LAPIC", bytes);
    return bytes;
  }

  /**
   * Sets the registers of the in-kernel local APIC (KVM_SET_LAPIC, KVM API 4.58).
   *
   * @param bytes 1024 of them
   * @throws {KvmError} EINVAL without an in-kernel local APIC, or when its id is another in x2APIC
   * mode.
   * @throws {LayoutError} when it has another number of bytes.
   * @throws {DisposedError} after disposal.
   */
  setLapic(bytes: Uint8Array): void {
    setState(this.#fd, this.#observed, "set-lapic", "KVM_SET_LAPIC", kvm_lapic_state, {
      regs: bytes,
    });
  }

  /**
   * The state of nested virtualization: what the vCPU runs as a hypervisor (KVM_GET_NESTED_STATE,
   * KVM API 4.114).
   *
   * @throws {KvmError} EINVAL without KVM_CAP_NESTED_STATE.
   * @throws {DisposedError} after disposal.
   */
  nestedState(): NestedState {
    const { fields, size: header } = kvm_nested_state;
    const limit = ioctlValue(this.#vm, "KVM_CHECK_EXTENSION", capabilities.KVM_CAP_NESTED_STATE);
    const view = new DataView(new ArrayBuffer(Math.max(limit, header)));
    view.setUint32(fields.size[0], view.byteLength, true);
    ioctlBuffer(this.#fd, "KVM_GET_NESTED_STATE", view);
    const { flags, format, size } = decode(kvm_nested_state, view);
    return { flags, format, data: new Uint8Array(view.buffer.slice(8, size)) };
  }

  /**
   * Sets the state of nested virtualization (KVM_SET_NESTED_STATE, KVM API 4.115).
   *
   * @throws {KvmError} EINVAL when it contradicts itself or the vCPU, or without
   * KVM_CAP_NESTED_STATE.
   * @throws {LayoutError} when a member is missing, beyond its size, or `data` too short.
   * @throws {DisposedError} after disposal.
   */
  setNestedState(state: NestedState): void {
    const { flags, format, data } = object("the nested state", state);
    if (!(data instanceof Uint8Array) || data.length + 8 < kvm_nested_state.size) {
      throw new LayoutError(
        `kvm_nested_state.data must be a Uint8Array of at least ${kvm_nested_state.size - 8} bytes`,
      );
    }
    act(this.#observed, "set-nested-state", [], () => {
      // KVM reads as much as the state's flags ask for, whatever its size says.
      const limit = ioctlValue(this.#vm, "KVM_CHECK_EXTENSION", capabilities.KVM_CAP_NESTED_STATE);
      const size = 8 + data.length;
      const view = new DataView(new ArrayBuffer(Math.max(limit, size)));
      encode(kvm_nested_state, view, { flags, format, size });
      new Uint8Array(view.buffer, 8).set(data);
      ioctlBuffer(this.#fd, "KVM_SET_NESTED_STATE", view);
    });
  }

  /**
   * Frequency of the guest's TSC in kHz (KVM_GET_TSC_KHZ, KVM API 4.56).
   *
   * @throws {KvmError} EIO when the host's TSC is unstable.
   * @throws {DisposedError} after disposal.
   */
  tscKhz(): number {
    return ioctlValue(this.#fd, "KVM_GET_TSC_KHZ");
  }

  /**
   * Sets the frequency of the guest's TSC (KVM_SET_TSC_KHZ, KVM API 4.55).
   *
   * @param khz 0 to 0x7fffffff; 0 is the host's own
   * @throws {KvmError} EINVAL when the host cannot scale its TSC so.
   * @throws {LayoutError} when it is no integer of 31 bits.
   * @throws {DisposedError} after disposal.
   */
  setTscKhz(khz: number): void {
    if (!Number.isInteger(khz) || khz < 0 || khz > 0x7fffffff) {
      throw new LayoutError(`a TSC of ${shown(khz)} kHz; an integer of 0 to 0x7fffffff is needed`);
    }
    act(this.#observed, "set-tsc-khz", [khz], () => ioctlValue(this.#fd, "KVM_SET_TSC_KHZ", khz));
  }

  /**
   * Whether the vCPU has the attribute {@link tscOffset} (KVM_HAS_DEVICE_ATTR, KVM API 4.81).
   *
   * @throws {DisposedError} after disposal.
   */
  hasTscOffset(): boolean {
    return hasAttribute(this.#fd, constants.KVM_VCPU_TSC_CTRL, constants.KVM_VCPU_TSC_OFFSET);
  }

  /**
   * What is added to the host's TSC, scaled, to make the guest's (KVM_VCPU_TSC_OFFSET; KVM API
   * 4.80).
   *
   * @returns 64 bits, modulo 2^64
   * @throws {KvmError} ENXIO when the host has no such attribute.
   * @throws {DisposedError} after disposal.
   */
  tscOffset(): bigint {
    return getAttribute(this.#fd, constants.KVM_VCPU_TSC_CTRL, constants.KVM_VCPU_TSC_OFFSET);
  }

  /**
   * Sets it.
   *
   * @param offset 64 bits
   * @throws {KvmError} ENXIO when the host has no such attribute.
   * @throws {LayoutError} when the offset is beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setTscOffset(offset: bigint): void {
    const { KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET } = constants;
    act(this.#observed, "set-tsc-offset", [], () => {
      setAttribute(this.#fd, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, offset);
    });
  }

  /**
   * Reads one register by its id (KVM_GET_ONE_REG, KVM API 4.69), which x86 KVM of Linux 6.12 and
   * before refuses for every id.
   *
   * @param id 64 bits; its size in bytes is 2 to the power of bits 55:52, up to 8
   * @throws {KvmError} EINVAL or ENOENT when there is no such register.
   * @throws {LayoutError} when the id is beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  oneRegister(id: bigint): bigint {
    const value = new BigUint64Array(new ArrayBuffer(8));
    this.#oneRegister("KVM_GET_ONE_REG", id, value);
    return value[0];
  }

  /**
   * Writes one register by its id (KVM_SET_ONE_REG, KVM API 4.68); see {@link oneRegister}.
   *
   * @throws {KvmError} EINVAL or ENOENT when there is no such register.
   * @throws {LayoutError} when the id or the value is beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setOneRegister(id: bigint, value: bigint): void {
    const view = new DataView(new ArrayBuffer(8));
    encode({ size: 8, fields: { value: [0, "u64"] } }, view, { value });
    act(this.#observed, "set-one-register", [id], () => {
      this.#oneRegister("KVM_SET_ONE_REG", id, new BigUint64Array(view.buffer));
    });
  }

  #oneRegister(
    name: "KVM_GET_ONE_REG" | "KVM_SET_ONE_REG",
    id: bigint,
    value: BigUint64Array<ArrayBuffer>,
  ): void {
    const view = scratchBuffer(kvm_one_reg);
    encode(kvm_one_reg, view, { id, addr: bufferAddress(value) });
    ioctlBuffer(this.#fd, name, view, `register 0x${id.toString(16)}`);
  }
}
