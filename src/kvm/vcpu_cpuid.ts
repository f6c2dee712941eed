import { list } from "../../ffi/argument.ts";
import { encode } from "../../ffi/abi/layout.ts";
import {
  kvm_cpuid,
  kvm_cpuid2,
  kvm_cpuid_entry,
  kvm_cpuid_entry2,
} from "../../ffi/abi/registers.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type { CpuidEntry } from "../x86/state.ts";
import { act, type Observed } from "./action.ts";
import { CPUID_BYTES, decodeCpuid, keptCpuid } from "./cpuid_buffer.ts";
import { ioctlBuffer } from "./ioctl.ts";
import { VcpuRegisters } from "./vcpu_registers.ts";

/** What CPUID answers on a vCPU. */
export class VcpuCpuid extends VcpuRegisters {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;

  /** Made by {@link Vcpu}. */
  constructor(vm: FileDescriptor, fd: FileDescriptor, observed: Observed) {
    super(vm, fd, observed);
    this.#fd = fd;
    this.#observed = observed;
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
   * What CPUID answers, as KVM keeps it (KVM_GET_CPUID2, KVM API 4.20).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  cpuid(): CpuidEntry[] {
    const bytes = new Uint8Array(new ArrayBuffer(CPUID_BYTES));
    return decodeCpuid(keptCpuid(bytes, () => ioctlBuffer(this.#fd, "KVM_GET_CPUID2", bytes)));
  }

  /**
   * Sets what CPUID answers, in the older form that knows no subleaves (KVM_SET_CPUID, KVM API
   * 4.20).
   *
   * @throws {KvmError} E2BIG when there are too many entries, EINVAL when one is invalid or changes
   * after the vCPU has run.
   * @throws {LayoutError} when a member is missing or beyond 32 bits.
   * @throws {DisposedError} after disposal.
   */
  setBasicCpuid(entries: readonly Omit<CpuidEntry, "index" | "flags">[]): void {
    list("the leaves", entries);
    act(this.#observed, "set-basic-cpuid", [], () => {
      const { size } = kvm_cpuid_entry;
      const view = new DataView(new ArrayBuffer(kvm_cpuid.size + entries.length * size));
      view.setUint32(kvm_cpuid.fields.nent[0], entries.length, true);
      entries.forEach((entry, position) => {
        encode(kvm_cpuid_entry, view, entry, kvm_cpuid.size + position * size);
      });
      ioctlBuffer(this.#fd, "KVM_SET_CPUID", view, `${entries.length} entries`);
    });
  }
}

const encodedCpuid = new WeakMap<readonly CpuidEntry[], DataView<ArrayBuffer>>();

/** The same list goes to one vCPU after another, so what it encodes to is kept. */
function cpuidBuffer(entries: readonly CpuidEntry[]): DataView<ArrayBuffer> {
  list("the leaves", entries);
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
