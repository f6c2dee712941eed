import { capabilities, type CapabilityName } from "../../ffi/abi/capabilities.ts";
import { ArgumentError, integer, list, oneOf, shown } from "../../ffi/argument.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type { CpuidEntry, MsrEntry } from "../x86/state.ts";
import { type Attribute, checkAttribute, hasAttribute, readAttribute } from "./device_attribute.ts";
import { KvmError } from "./error.ts";
import { checkApiVersion, HostError, openDevice } from "./host_error.ts";
import { readCpuid } from "./cpuid_buffer.ts";
import { ioctlBuffer, ioctlValue } from "./ioctl.ts";
import { orMalformed, type SavedVm } from "./saved_state.ts";
import { decodeMsrs, msrBuffer } from "./msr_buffer.ts";
import { WorkerPool } from "./worker_pool.ts";
import { Vm } from "./vm.ts";
import { type StateFeatures, stateFeatures } from "./vm_configuration.ts";
import { checkSaved, restoreConfiguration, restoreMemory } from "./vm_restore.ts";

/**
 * KVM itself: the system file descriptor `/dev/kvm` (KVM API 2).
 *
 * @example
 * ```ts
 * import { Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * console.log(kvm.apiVersion()); // 12
 * using vm = kvm.createVm();
 * ```
 */
export class Kvm implements Disposable {
  readonly #fd: FileDescriptor;
  readonly #workers: WorkerPool;
  #runSize: number | undefined;
  #features: StateFeatures | undefined;
  #cpuid: readonly CpuidEntry[] | undefined;

  private constructor(fd: FileDescriptor, keepThreads: boolean) {
    this.#fd = fd;
    this.#workers = new WorkerPool(keepThreads);
  }

  /**
   * Opens KVM and checks that it speaks API version 12.
   *
   * @param path the device, `/dev/kvm` unless a test gives another
   * @param keepThreads whether the thread of a vCPU that is closed waits for the next one
   * ({@link Vm.startVcpu}), until this is disposed of
   * @throws {HostError} when there is no usable KVM: not x86-64 Linux, no such device, no
   * permission, not a KVM device, or another API version; the message names the mend.
   * @throws {ArgumentError} when the path is no text.
   */
  static open(path: string = "/dev/kvm", keepThreads: boolean = false): Kvm {
    if (typeof path !== "string") {
      throw new ArgumentError(`the device is ${shown(path)}: give its path`);
    }
    const kvm = new Kvm(openDevice(path), keepThreads);
    try {
      checkApiVersion(kvm.apiVersion(), path);
      return kvm;
    } catch (error) {
      kvm[Symbol.dispose]();
      if (!(error instanceof KvmError)) throw error;
      throw new HostError(
        "not-kvm",
        `${path} is not KVM: it answers KVM_GET_API_VERSION with ${error.code}. ` +
          "Check what is mounted or created there.",
        { cause: error },
      );
    }
  }

  /**
   * The version of the API (KVM_GET_API_VERSION, KVM API 4.1).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  apiVersion(): number {
    return ioctlValue(this.#fd, "KVM_GET_API_VERSION");
  }

  /**
   * Asks for a capability (KVM_CHECK_EXTENSION, KVM API 4.4): 0 is absent, 1 present, and some
   * capabilities answer a number of their own.
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {ArgumentError} when there is no capability of that name.
   * @throws {DisposedError} after disposal.
   */
  checkExtension(capability: CapabilityName): number {
    const number = capabilities[oneOf("the capability", capability, capabilities)];
    return ioctlValue(this.#fd, "KVM_CHECK_EXTENSION", number);
  }

  /**
   * Size of the area that a vCPU shares with user space, in bytes (KVM_GET_VCPU_MMAP_SIZE, KVM
   * API 4.5).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  vcpuMmapSize(): number {
    this.#fd.number;
    return this.#runSize ??= ioctlValue(this.#fd, "KVM_GET_VCPU_MMAP_SIZE");
  }

  /**
   * The CPUID leaves that hardware and KVM support (KVM_GET_SUPPORTED_CPUID, KVM API 4.46), asked
   * once.
   *
   * @param room how many leaves there is room for; asked anew when it is given
   * @throws {KvmError} E2BIG when the room is too small.
   * @throws {ArgumentError} when the room is not 0 to 65535.
   * @throws {DisposedError} after disposal.
   */
  supportedCpuid(room?: number): readonly CpuidEntry[] {
    this.#fd.number;
    if (room !== undefined) return readCpuid(this.#fd, "KVM_GET_SUPPORTED_CPUID", room);
    return this.#cpuid ??= readCpuid(this.#fd, "KVM_GET_SUPPORTED_CPUID");
  }

  /**
   * The CPUID leaves that KVM emulates without hardware support (KVM_GET_EMULATED_CPUID, KVM API
   * 4.88).
   *
   * @param room how many leaves there is room for
   * @throws {KvmError} E2BIG when the room is too small.
   * @throws {ArgumentError} when the room is not 0 to 65535.
   * @throws {DisposedError} after disposal.
   */
  emulatedCpuid(room?: number): readonly CpuidEntry[] {
    return readCpuid(this.#fd, "KVM_GET_EMULATED_CPUID", room);
  }

  /**
   * The CPUID leaves of Hyper-V's interface that KVM emulates (KVM_GET_SUPPORTED_HV_CPUID, KVM API
   * 4.118), where KVM_CAP_SYS_HYPERV_CPUID is there.
   *
   * @param room how many leaves there is room for
   * @throws {KvmError} E2BIG when the room is too small, EINVAL or ENOTTY when KVM has none.
   * @throws {ArgumentError} when the room is not 0 to 65535.
   * @throws {DisposedError} after disposal.
   */
  supportedHypervCpuid(room?: number): readonly CpuidEntry[] {
    return readCpuid(this.#fd, "KVM_GET_SUPPORTED_HV_CPUID", room);
  }

  /**
   * The MSRs that can be saved and restored (KVM_GET_MSR_INDEX_LIST, KVM API 4.3).
   *
   * @param room how many there is room for
   * @throws {KvmError} E2BIG when the room is too small; `needed` says what would do.
   * @throws {ArgumentError} when the room is not 0 to 65535.
   * @throws {DisposedError} after disposal.
   */
  msrIndexList(room: number = 1024): number[] {
    return this.#msrList("KVM_GET_MSR_INDEX_LIST", room);
  }

  /**
   * The MSRs that tell features of the host's KVM and that {@link featureMsrs} reads
   * (KVM_GET_MSR_FEATURE_INDEX_LIST, KVM API 4.3).
   *
   * @param room how many there is room for
   * @throws {KvmError} E2BIG when the room is too small; `needed` says what would do.
   * @throws {ArgumentError} when the room is not 0 to 65535.
   * @throws {DisposedError} after disposal.
   */
  msrFeatureIndexList(room: number = 1024): number[] {
    return this.#msrList("KVM_GET_MSR_FEATURE_INDEX_LIST", room);
  }

  #msrList(
    name: "KVM_GET_MSR_INDEX_LIST" | "KVM_GET_MSR_FEATURE_INDEX_LIST",
    room: number,
  ): number[] {
    const words = new Uint32Array(1 + integer("the room", room, 0, 0xffff));
    words[0] = room;
    try {
      ioctlBuffer(this.#fd, name, words);
    } catch (error) {
      if (!(error instanceof KvmError && error.code === "E2BIG")) throw error;
      throw new KvmError(name, error.errno, `room for ${room}`, words[0]);
    }
    return [...words.subarray(1, 1 + words[0])];
  }

  /**
   * Reads feature MSRs: what KVM can give a guest, not what one has (KVM_GET_MSRS of the system, KVM
   * API 4.18; KVM_CAP_GET_MSR_FEATURES).
   *
   * @param indices of {@link msrFeatureIndexList}
   * @returns as many as KVM could read, in order: it stops at the first it refuses
   * @throws {KvmError} E2BIG for 256 or more.
   * @throws {ArgumentError} when it is no list.
   * @throws {LayoutError} when an index is not 32 bits.
   * @throws {DisposedError} after disposal.
   */
  featureMsrs(indices: readonly number[]): MsrEntry[] {
    list("the MSRs", indices);
    const view = msrBuffer(indices.map((index) => ({ index, data: 0n })));
    return decodeMsrs(view, ioctlBuffer(this.#fd, "KVM_GET_MSRS", view, `${indices.length} MSRs`));
  }

  /**
   * The capabilities of machine checks that a guest can have, as bits of IA32_MCG_CAP
   * (KVM_X86_GET_MCE_CAP_SUPPORTED, KVM API 4.104).
   *
   * @throws {KvmError} EINVAL without KVM_CAP_MCE.
   * @throws {DisposedError} after disposal.
   */
  mceCapSupported(): bigint {
    const word = new BigUint64Array(1);
    ioctlBuffer(this.#fd, "KVM_X86_GET_MCE_CAP_SUPPORTED", word);
    return word[0];
  }

  /**
   * Whether the system has an attribute (KVM_HAS_DEVICE_ATTR, KVM API 4.81; KVM_CAP_SYS_ATTRIBUTES).
   *
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal.
   */
  hasAttribute(attribute: Attribute): boolean {
    const { group, attribute: number } = checkAttribute(attribute);
    return hasAttribute(this.#fd, group, number);
  }

  /**
   * Reads an attribute of the system (KVM_GET_DEVICE_ATTR, KVM API 4.80; KVM_CAP_SYS_ATTRIBUTES),
   * such as group 0, attribute 0: the XSAVE features that a guest may be given (64 bits).
   *
   * @param size bytes of its value
   * @throws {KvmError} ENXIO when there is no such attribute.
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal.
   */
  attribute(attribute: Attribute, size: number = 8): Uint8Array<ArrayBuffer> {
    return readAttribute(this.#fd, checkAttribute(attribute), size);
  }

  /**
   * The file descriptor, for {@link ioctl}.
   *
   * @throws {DisposedError} after disposal.
   */
  get fd(): number {
    return this.#fd.number;
  }

  /**
   * Makes a VM with no memory and no vCPU (KVM_CREATE_VM, KVM API 4.2).
   *
   * @param type the machine type, a bit of KVM_CAP_VM_TYPES: 0 is the ordinary one, 1
   * software-protected, 2 SEV, 3 SEV-ES, 4 SEV-SNP
   * @throws {KvmError} EINVAL when KVM has no such type.
   * @throws {ArgumentError} when the type is not 31 bits.
   * @throws {DisposedError} after disposal.
   */
  createVm(type: number = 0): Vm {
    integer("the type of a VM", type, 0, 0x7fffffff);
    const number = this.#create(type);
    this.#features ??= stateFeatures(this.#fd, this.vcpuMmapSize(), this.msrIndexList());
    return new Vm(new FileDescriptor(number, "Vm"), this.#features, type, this.#workers);
  }

  #create(type: number): number {
    return uninterrupted(() => ioctlValue(this.#fd, "KVM_CREATE_VM", type));
  }

  /**
   * Makes a VM from what {@link Vm.save} gave, whether it went through JSON or not. Its vCPUs are
   * the calling thread's: {@link Vm.vcpu} gives them.
   *
   * @throws {RestoreError} when the value is malformed, or the host does not take an MSR of it.
   * @throws {KvmError} when KVM refuses a state.
   * @throws {DisposedError} after disposal.
   */
  restore(saved: SavedVm): Vm {
    this.#fd.number;
    return orMalformed(() => this.#restore(saved));
  }

  #restore(saved: SavedVm): Vm {
    checkSaved(saved);
    const vm = this.createVm(saved.type);
    try {
      restoreConfiguration(vm, saved);
      restoreMemory(vm, saved);
      for (const { id } of saved.vcpus) vm.createVcpu(id);
      vm.restoreState(saved);
      return vm;
    } catch (error) {
      vm[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Saves a VM, destroys it and restores it into a new one that takes its place: the object and all
   * that belongs to it go on as if nothing had happened. Memory stays where it is.
   *
   * @throws {SaveError} when a vCPU has a thread of its own or an exit that waits for an answer.
   * @throws {KvmError} when an ioctl fails; the VM is not to be used then.
   * @throws {ArgumentError} when it is given no VM.
   * @throws {DisposedError} after disposal.
   */
  renew(vm: Vm): void {
    const placeholder = this.#fd.number;
    if (!(vm instanceof Vm)) throw new ArgumentError(`the VM is ${shown(vm)}: give a Vm`);
    vm.renew((type) => this.#create(type), placeholder);
  }

  /** Closes `/dev/kvm` and ends the threads that it kept; VMs that it made live on. */
  [Symbol.dispose](): void {
    this.#workers[Symbol.dispose]();
    this.#fd[Symbol.dispose]();
  }
}

/** KVM_CREATE_VM gives up with EINTR when any signal waits, a profiler's say: it is for the asking. */
function uninterrupted(create: () => number): number {
  for (;;) {
    try {
      return create();
    } catch (error) {
      if (!(error instanceof KvmError && error.code === "EINTR")) throw error;
    }
  }
}
