import { capabilities, type CapabilityName } from "../../ffi/abi/capabilities.ts";
import { decode } from "../../ffi/abi/layout.ts";
import { kvm_cpuid_entry2 } from "../../ffi/abi/registers.ts";
import { SystemCallError } from "../../ffi/errno.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { UnsupportedPlatformError } from "../../ffi/libc.ts";
import type { CpuidEntry, MsrEntry } from "../x86/state.ts";
import { KvmError } from "./error.ts";
import { ioctlBuffer, ioctlValue } from "./ioctl.ts";
import type { SavedVm } from "./saved_state.ts";
import { decodeMsrs, msrBuffer } from "./msr_buffer.ts";
import { Vm } from "./vm.ts";
import { type StateFeatures, stateFeatures } from "./vm_configuration.ts";
import { checkSaved, restoreConfiguration, restoreMemory } from "./vm_restore.ts";

/** The API version that every KVM since Linux 2.6.22 answers (KVM API 4.1). */
const API_VERSION = 12;

/** Why {@link Kvm.open} found no usable KVM. */
export type HostProblem = "platform" | "missing" | "permission" | "not-kvm" | "version" | "open";

/** Thrown when this machine has no KVM that Trapline can use; the message says what to do. */
export class HostError extends Error {
  /** The class's name. */
  override readonly name = "HostError";

  /**
   * Says what is the matter.
   *
   * @param problem the kind of obstacle
   * @param message what is the matter, and the mend
   */
  constructor(readonly problem: HostProblem, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

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
  #runSize: number | undefined;
  #features: StateFeatures | undefined;
  #cpuid: readonly CpuidEntry[] | undefined;

  private constructor(fd: FileDescriptor) {
    this.#fd = fd;
  }

  /**
   * Opens KVM and checks that it speaks API version 12.
   *
   * @param path the device, `/dev/kvm` unless a test gives another
   * @throws {HostError} when there is no usable KVM: not x86-64 Linux, no such device, no
   * permission, not a KVM device, or another API version; the message names the mend.
   */
  static open(path: string = "/dev/kvm"): Kvm {
    const kvm = new Kvm(openDevice(path));
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
   * @throws {DisposedError} after disposal.
   */
  checkExtension(capability: CapabilityName): number {
    return ioctlValue(this.#fd, "KVM_CHECK_EXTENSION", capabilities[capability]);
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
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  supportedCpuid(): readonly CpuidEntry[] {
    this.#fd.number;
    return this.#cpuid ??= this.#cpuidList("KVM_GET_SUPPORTED_CPUID");
  }

  /**
   * The CPUID leaves that KVM emulates without hardware support (KVM_GET_EMULATED_CPUID, KVM API
   * 4.88).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  emulatedCpuid(): readonly CpuidEntry[] {
    return this.#cpuidList("KVM_GET_EMULATED_CPUID");
  }

  #cpuidList(name: "KVM_GET_SUPPORTED_CPUID" | "KVM_GET_EMULATED_CPUID"): CpuidEntry[] {
    const limit = 256;
    const view = new DataView(new ArrayBuffer(8 + limit * kvm_cpuid_entry2.size));
    view.setUint32(0, limit, true);
    ioctlBuffer(this.#fd, name, view);
    return Array.from(
      { length: view.getUint32(0, true) },
      (_, index) => decode(kvm_cpuid_entry2, view, 8 + index * kvm_cpuid_entry2.size),
    );
  }

  /**
   * The MSRs that can be saved and restored (KVM_GET_MSR_INDEX_LIST, KVM API 4.3).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  msrIndexList(): number[] {
    return this.#msrList("KVM_GET_MSR_INDEX_LIST");
  }

  /**
   * The MSRs that tell of features, for {@link featureMsrs} (KVM_GET_MSR_FEATURE_INDEX_LIST, KVM API
   * 4.3).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  msrFeatureIndexList(): number[] {
    return this.#msrList("KVM_GET_MSR_FEATURE_INDEX_LIST");
  }

  /**
   * What KVM supports of features that MSRs tell of (KVM_GET_MSRS of the system, KVM API 4.18).
   *
   * @returns as many as KVM could read, in order: it stops at the first that is none
   * @throws {KvmError} E2BIG when there are too many.
   * @throws {DisposedError} after disposal.
   */
  featureMsrs(indices: readonly number[]): MsrEntry[] {
    const view = msrBuffer(indices.map((index) => ({ index, data: 0n })));
    return decodeMsrs(view, ioctlBuffer(this.#fd, "KVM_GET_MSRS", view));
  }

  #msrList(name: "KVM_GET_MSR_INDEX_LIST" | "KVM_GET_MSR_FEATURE_INDEX_LIST"): number[] {
    const limit = 1024;
    const list = new Uint32Array(1 + limit);
    list[0] = limit;
    ioctlBuffer(this.#fd, name, list);
    return [...list.subarray(1, 1 + list[0])];
  }

  /**
   * Makes a VM with no memory and no vCPU (KVM_CREATE_VM, KVM API 4.2).
   *
   * @param type the machine type; 0 is the ordinary one
   * @throws {KvmError} when KVM refuses.
   * @throws {DisposedError} after disposal.
   */
  createVm(type: number = 0): Vm {
    const number = this.#create(type);
    this.#features ??= stateFeatures(this.#fd, this.vcpuMmapSize(), this.msrIndexList());
    return new Vm(new FileDescriptor(number, "Vm"), this.#features, type);
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
   * @throws {DisposedError} after disposal.
   */
  renew(vm: Vm): void {
    vm.renew((type) => this.#create(type), this.#fd.number);
  }

  /** Closes `/dev/kvm`; VMs that it made live on. */
  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

function openDevice(path: string): FileDescriptor {
  try {
    return FileDescriptor.open(path, "Kvm");
  } catch (cause) {
    if (cause instanceof UnsupportedPlatformError) {
      throw new HostError("platform", cause.message, { cause });
    }
    if (!(cause instanceof SystemCallError)) throw cause;
    const [problem, message] = explainOpen(cause.code, path);
    throw new HostError(problem, message, { cause });
  }
}

function explainOpen(code: string, path: string): [HostProblem, string] {
  switch (code) {
    case "ENOENT":
    case "ENODEV":
    case "ENXIO":
      return [
        "missing",
        `There is no ${path}: switch virtualization on in the firmware (or nested virtualization ` +
        "in the hypervisor above) and load the module of this CPU: modprobe kvm_intel, or kvm_amd.",
      ];
    case "EACCES":
    case "EPERM":
      return [
        "permission",
        `No permission to open ${path}: add yourself to the group kvm (sudo usermod -aG kvm ` +
        "$USER, then log in again), or let the container or sandbox have the device.",
      ];
    default:
      return ["open", `Opening ${path} failed with ${code}: see that it is KVM's device.`];
  }
}

/**
 * Throws unless a version is the one that Trapline speaks.
 *
 * @throws {HostError} naming both versions.
 */
export function checkApiVersion(version: number, path: string = "/dev/kvm"): void {
  if (version === API_VERSION) return;
  throw new HostError(
    "version",
    `${path} speaks KVM API version ${version} and Trapline speaks ${API_VERSION}: boot a Linux ` +
      "kernel of 2.6.22 or later.",
  );
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
