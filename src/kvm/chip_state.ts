import { bytes, oneOf } from "../../ffi/argument.ts";
import {
  kvm_irqchip,
  kvm_irqchip_ioapic,
  kvm_irqchip_pic,
  kvm_pit_state,
  kvm_pit_state2,
  kvm_reinject_control,
} from "../../ffi/abi/interrupts.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { decode, encode } from "../../ffi/abi/layout.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type { IoapicState, PicState, PitState, PitState2 } from "../x86/chips.ts";
import { act, type Observed } from "./action.ts";
import type { VmConfiguration } from "./vm_configuration.ts";
import { ioctlBuffer } from "./ioctl.ts";
import { chips, type InterruptChip } from "./routing.ts";

/** Bytes of `kvm_irqchip` before the state itself. */
const HEAD = kvm_irqchip_pic.fields.chip[0];

/** The state of the interrupt controllers and the timer that KVM emulates for a VM. */
export class ChipState {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  readonly #configuration: VmConfiguration;

  /** Made by {@link Interrupts}. */
  constructor(fd: FileDescriptor, observed: Observed, configuration: VmConfiguration) {
    this.#fd = fd;
    this.#observed = observed;
    this.#configuration = configuration;
  }

  /**
   * The registers of an in-kernel chip (KVM_GET_IRQCHIP, KVM API 4.26), as its 512 raw bytes.
   *
   * @throws {KvmError} ENXIO without an in-kernel interrupt controller.
   * @throws {ArgumentError} when there is no such chip.
   * @throws {DisposedError} after disposal of the VM.
   */
  chipState(chip: InterruptChip): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#readChip(chip).buffer, HEAD);
  }

  /**
   * Sets the registers of an in-kernel chip from its 512 raw bytes (KVM_SET_IRQCHIP, KVM API 4.27).
   *
   * @throws {KvmError} ENXIO without an in-kernel interrupt controller.
   * @throws {ArgumentError} when there is no such chip or the state is not 512 bytes.
   * @throws {DisposedError} after disposal of the VM.
   */
  setChipState(chip: InterruptChip, state: Uint8Array): void {
    const view = chipView(chip);
    const size = kvm_irqchip.size - HEAD;
    new Uint8Array(view.buffer, HEAD).set(bytes("the state", state, size).subarray(0, size));
    this.#writeChip(chip, view);
  }

  /**
   * The registers of a PIC (KVM_GET_IRQCHIP, KVM API 4.26).
   *
   * @throws {KvmError} ENXIO without an in-kernel interrupt controller.
   * @throws {ArgumentError} when there is no such PIC.
   * @throws {DisposedError} after disposal of the VM.
   */
  pic(chip: "pic-master" | "pic-slave"): PicState {
    return decode(kvm_irqchip_pic, this.#readChip(chip)).chip.pic;
  }

  /**
   * Sets the registers of a PIC (KVM_SET_IRQCHIP, KVM API 4.27).
   *
   * @throws {KvmError} ENXIO without an in-kernel interrupt controller.
   * @throws {LayoutError} when a register is missing or beyond its size.
   * @throws {ArgumentError} when there is no such PIC.
   * @throws {DisposedError} after disposal of the VM.
   */
  setPic(chip: "pic-master" | "pic-slave", state: PicState): void {
    const view = chipView(chip);
    encode(kvm_irqchip_pic, view, { chip_id: chips[chip], chip: { pic: state } });
    this.#writeChip(chip, view);
  }

  /**
   * The registers of the IOAPIC (KVM_GET_IRQCHIP, KVM API 4.26).
   *
   * @throws {KvmError} ENXIO without an in-kernel interrupt controller.
   * @throws {DisposedError} after disposal of the VM.
   */
  ioapic(): IoapicState {
    return decode(kvm_irqchip_ioapic, this.#readChip("ioapic")).chip.ioapic;
  }

  /**
   * Sets the registers of the IOAPIC (KVM_SET_IRQCHIP, KVM API 4.27).
   *
   * @throws {KvmError} ENXIO without an in-kernel interrupt controller.
   * @throws {LayoutError} when a register is missing or beyond its size.
   * @throws {DisposedError} after disposal of the VM.
   */
  setIoapic(state: IoapicState): void {
    const view = chipView("ioapic");
    encode(kvm_irqchip_ioapic, view, { chip_id: chips.ioapic, chip: { ioapic: state } });
    this.#writeChip("ioapic", view);
  }

  #readChip(chip: InterruptChip): DataView<ArrayBuffer> {
    const view = chipView(chip);
    ioctlBuffer(this.#fd, "KVM_GET_IRQCHIP", view, chip);
    return view;
  }

  #writeChip(chip: InterruptChip, view: DataView<ArrayBuffer>): void {
    act(this.#observed, "set-irqchip", [chip], () => {
      ioctlBuffer(this.#fd, "KVM_SET_IRQCHIP", view, chip);
    });
  }

  /**
   * The i8254 without its flags (KVM_GET_PIT, which KVM_GET_PIT2 replaces; KVM_CAP_PIT).
   *
   * @throws {KvmError} ENXIO without a PIT.
   * @throws {DisposedError} after disposal of the VM.
   */
  pit(): PitState {
    const view = new DataView(new ArrayBuffer(kvm_pit_state.size));
    ioctlBuffer(this.#fd, "KVM_GET_PIT", view);
    return decode(kvm_pit_state, view);
  }

  /**
   * Sets the i8254 without its flags (KVM_SET_PIT, which KVM_SET_PIT2 replaces; KVM_CAP_PIT).
   *
   * @throws {KvmError} ENXIO without a PIT.
   * @throws {LayoutError} when a member is missing or beyond its size.
   * @throws {DisposedError} after disposal of the VM.
   */
  setPit(state: PitState): void {
    const view = new DataView(new ArrayBuffer(kvm_pit_state.size));
    encode(kvm_pit_state, view, state);
    this.#setTimer("set-pit", "KVM_SET_PIT", view);
  }

  /**
   * The i8254 (KVM_GET_PIT2, KVM API 4.72; KVM_CAP_PIT_STATE2).
   *
   * @throws {KvmError} ENXIO without a PIT.
   * @throws {DisposedError} after disposal of the VM.
   */
  pit2(): PitState2 {
    const view = new DataView(new ArrayBuffer(kvm_pit_state2.size));
    ioctlBuffer(this.#fd, "KVM_GET_PIT2", view);
    return decode(kvm_pit_state2, view);
  }

  /**
   * Sets the i8254 (KVM_SET_PIT2, KVM API 4.73; KVM_CAP_PIT_STATE2).
   *
   * @throws {KvmError} ENXIO without a PIT.
   * @throws {LayoutError} when a member is missing or beyond its size.
   * @throws {DisposedError} after disposal of the VM.
   */
  setPit2(state: PitState2): void {
    const view = new DataView(new ArrayBuffer(kvm_pit_state2.size));
    encode(kvm_pit_state2, view, state);
    this.#setTimer("set-pit2", "KVM_SET_PIT2", view);
  }

  #setTimer(action: string, name: IoctlName, view: DataView<ArrayBuffer>): void {
    act(this.#observed, action, [], () => ioctlBuffer(this.#fd, name, view));
  }

  /**
   * Whether the PIT's interrupts that a guest was too slow for are injected later
   * (KVM_REINJECT_CONTROL, KVM API 4.99; KVM_CAP_REINJECT_CONTROL); they are unless it is switched
   * off.
   *
   * @throws {KvmError} ENXIO without a PIT.
   * @throws {DisposedError} after disposal of the VM.
   */
  setReinject(on: boolean): void {
    act(this.#observed, "reinject", [on ? 1 : 0], () => {
      const view = new DataView(new ArrayBuffer(kvm_reinject_control.size));
      view.setUint8(kvm_reinject_control.fields.pit_reinject[0], on ? 1 : 0);
      ioctlBuffer(this.#fd, "KVM_REINJECT_CONTROL", view);
    });
    this.#configuration.reinject = on;
  }
}

function chipView(chip: InterruptChip): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(kvm_irqchip.size));
  view.setUint32(0, chips[oneOf("the chip", chip, chips)], true);
  return view;
}
