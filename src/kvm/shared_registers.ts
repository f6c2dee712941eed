import { list, shown } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { decode, encode, type Layout, LayoutError } from "../../ffi/abi/layout.ts";
import { kvm_regs, kvm_sregs, kvm_vcpu_events } from "../../ffi/abi/registers.ts";
import { kvm_run, kvm_run_sync_regs, kvm_sync_regs } from "../../ffi/abi/run.ts";
import type { Registers, SystemRegisters, VcpuEvents } from "../x86/state.ts";
import { act, type Observed } from "./action.ts";

/** A set of registers that the shared area can carry (KVM_SYNC_X86_*). */
export type RegisterSet = "regs" | "sregs" | "events";

interface SetLayout {
  readonly bit: bigint;
  readonly layout: Layout;
  readonly offset: number;
}

const base = kvm_run_sync_regs.fields.regs[0];

const sets: Readonly<Record<RegisterSet, SetLayout>> = {
  regs: {
    bit: BigInt(constants.KVM_SYNC_X86_REGS),
    layout: kvm_regs,
    offset: base + kvm_sync_regs.fields.regs[0],
  },
  sregs: {
    bit: BigInt(constants.KVM_SYNC_X86_SREGS),
    layout: kvm_sregs,
    offset: base + kvm_sync_regs.fields.sregs[0],
  },
  events: {
    bit: BigInt(constants.KVM_SYNC_X86_EVENTS),
    layout: kvm_vcpu_events,
    offset: base + kvm_sync_regs.fields.events[0],
  },
};

const names = Object.keys(sets) as RegisterSet[];

/**
 * The registers in the area that a vCPU shares with KVM, which spare the ioctls (KVM_CAP_SYNC_REGS,
 * KVM API 6.74): each exit stores the sets that {@link store} names, and the next entry loads those
 * that were set here.
 *
 * @example
 * ```ts
 * import { Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * vm.memory.addRam(0, 0x1000).bytes[0] = 0xf4; // HLT
 * using vcpu = vm.createVcpu();
 * const sregs = vcpu.sregs();
 * vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
 * vcpu.shared.store(["regs"]);
 * vcpu.shared.setRegs({ ...vcpu.regs(), rip: 0n });
 * vcpu.run();
 * console.log(vcpu.shared.regs().rip); // 0x1n: behind the HLT
 * ```
 */
export class SharedRegisters {
  readonly #view: () => DataView<ArrayBuffer>;
  readonly #observed: Observed;

  /**
   * Made by {@link Vcpu}.
   *
   * @param view gives the shared area, or throws after disposal
   */
  constructor(view: () => DataView<ArrayBuffer>, observed: Observed) {
    this.#view = view;
    this.#observed = observed;
  }

  /**
   * Says which sets an exit stores from here on (`kvm_valid_regs`).
   *
   * @throws {LayoutError} when there is no such set.
   * @throws {ArgumentError} when it is no list.
   * @throws {DisposedError} after disposal of the vCPU.
   */
  store(which: readonly RegisterSet[]): void {
    list("the register sets", which);
    const bits = bitsOf(which);
    act(this.#observed, "store-registers", [...which], () => {
      this.#view().setBigUint64(kvm_run.fields.kvm_valid_regs[0], bits, true);
    });
  }

  /**
   * The sets that an exit stores.
   *
   * @throws {DisposedError} after disposal of the vCPU.
   */
  get stored(): RegisterSet[] {
    return namesOf(this.#view().getBigUint64(kvm_run.fields.kvm_valid_regs[0], true));
  }

  /**
   * The sets that the next entry loads (`kvm_dirty_regs`); one that KVM has loaded is none.
   *
   * @throws {DisposedError} after disposal of the vCPU.
   */
  get dirty(): RegisterSet[] {
    return namesOf(this.#view().getBigUint64(kvm_run.fields.kvm_dirty_regs[0], true));
  }

  /**
   * Has the next entry load none.
   *
   * @throws {DisposedError} after disposal of the vCPU.
   */
  drop(): void {
    this.#view().setBigUint64(kvm_run.fields.kvm_dirty_regs[0], 0n, true);
  }

  /**
   * General registers, RIP and RFLAGS as the last exit stored them or {@link setRegs} left them.
   *
   * @throws {DisposedError} after disposal of the vCPU.
   */
  regs(): Registers {
    return decode(kvm_regs, this.#view(), sets.regs.offset);
  }

  /**
   * Has the next entry load them.
   *
   * @throws {LayoutError} when a register is missing or beyond 64 bits.
   * @throws {DisposedError} after disposal of the vCPU.
   */
  setRegs(registers: Registers): void {
    this.#set("regs", registers);
  }

  /**
   * Segments, descriptor tables, control registers and EFER, likewise.
   *
   * @throws {DisposedError} after disposal of the vCPU.
   */
  sregs(): SystemRegisters {
    return decode(kvm_sregs, this.#view(), sets.sregs.offset);
  }

  /**
   * Has the next entry load them; it fails with EINVAL when they contradict each other.
   *
   * @throws {LayoutError} when a register is missing or beyond its size.
   * @throws {DisposedError} after disposal of the vCPU.
   */
  setSregs(registers: SystemRegisters): void {
    this.#set("sregs", registers);
  }

  /**
   * What waits to be injected, likewise.
   *
   * @throws {DisposedError} after disposal of the vCPU.
   */
  events(): VcpuEvents {
    return decode(kvm_vcpu_events, this.#view(), sets.events.offset);
  }

  /**
   * Has the next entry load them; it fails with EINVAL when flags or an event is invalid.
   *
   * @throws {LayoutError} when a member is missing or beyond its size.
   * @throws {DisposedError} after disposal of the vCPU.
   */
  setEvents(events: VcpuEvents): void {
    this.#set("events", events);
  }

  #set(name: RegisterSet, value: unknown): void {
    act(this.#observed, `share-${name}`, [], () => {
      const view = this.#view();
      const { bit, layout, offset } = sets[name];
      encode(layout, view, value as never, offset);
      const at = kvm_run.fields.kvm_dirty_regs[0];
      view.setBigUint64(at, view.getBigUint64(at, true) | bit, true);
    });
  }
}

function bitsOf(which: readonly RegisterSet[]): bigint {
  let bits = 0n;
  for (const name of which) {
    if (typeof name !== "string" || !Object.hasOwn(sets, name)) {
      throw new LayoutError(`there is no register set ${shown(name)}: ${names.join(", ")}`);
    }
    bits |= sets[name].bit;
  }
  return bits;
}

function namesOf(bits: bigint): RegisterSet[] {
  return names.filter((name) => (bits & sets[name].bit) !== 0n);
}
