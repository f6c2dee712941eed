import { bytes, integer, unsigned32, unsigned64 } from "../../ffi/argument.ts";
import { encode } from "../../ffi/abi/layout.ts";
import { kvm_enc_region } from "../../ffi/abi/memory.ts";
import { kvm_sev_cmd } from "../../ffi/abi/xen.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type Observed } from "./action.ts";
import { bufferAddress } from "./device_attribute.ts";
import { ioctlAddress, ioctlBuffer } from "./ioctl.ts";

/**
 * Encryption of a VM's memory (SEV, SEV-ES, SEV-SNP; "x86/amd-memory-encryption" of the kernel).
 *
 * @example
 * ```ts
 * import { Kvm, KvmError } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * try {
 *   vm.encryption.check();
 * } catch (error) {
 *   console.log((error as KvmError).code); // "ENOTTY" where the host does not encrypt
 * }
 * ```
 */
export class Encryption {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, observed: Observed) {
    this.#fd = fd;
    this.#observed = observed;
  }

  /**
   * Asks whether the host encrypts memory at all: KVM_MEMORY_ENCRYPT_OP without a command (KVM API
   * 4.110).
   *
   * @throws {KvmError} ENOTTY when it does not.
   * @throws {DisposedError} after disposal of the VM.
   */
  check(): void {
    // No command is read: the address is 0.
    ioctlAddress(this.#fd, "KVM_MEMORY_ENCRYPT_OP", 0n, "no command");
  }

  /**
   * Gives a command to the VM's encryption (KVM_MEMORY_ENCRYPT_OP, KVM API 4.110).
   *
   * @param id KVM_SEV_*
   * @param argument its structure, which the command may write to
   * @param sev descriptor of `/dev/sev`, where the command needs it
   * @returns the firmware's error; 0 for none
   * @throws {KvmError} ENOTTY when the host does not encrypt, and others.
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal of the VM.
   */
  command(id: number, argument?: Uint8Array<ArrayBuffer>, sev: number = 0): number {
    const view = new DataView(new ArrayBuffer(kvm_sev_cmd.size));
    const data = argument === undefined ? 0n : bufferAddress(bytes("the argument", argument));
    encode(kvm_sev_cmd, view, {
      id: unsigned32("the command", id),
      data,
      error: 0,
      sev_fd: integer("the descriptor of /dev/sev", sev, 0, 0x7fffffff),
    });
    return act(this.#observed, "encrypt", [id], () => {
      ioctlBuffer(this.#fd, "KVM_MEMORY_ENCRYPT_OP", view, `command ${id}`);
      // In use until here: the kernel reads and writes it through its address.
      argument?.at(0);
      return view.getUint32(kvm_sev_cmd.fields.error[0], true);
    });
  }

  /**
   * Pins memory of this process that may hold encrypted pages (KVM_MEMORY_ENCRYPT_REG_REGION, KVM
   * API 4.111).
   *
   * @param address in this process
   * @param size bytes
   * @throws {KvmError} ENOTTY when the VM's memory is not encrypted, EINVAL for a bad range.
   * @throws {ArgumentError} when a number is not 64 bits.
   * @throws {DisposedError} after disposal of the VM.
   */
  registerRegion(address: bigint | number, size: bigint | number): void {
    this.#region("encrypt-region", "KVM_MEMORY_ENCRYPT_REG_REGION", address, size);
  }

  /**
   * Undoes {@link registerRegion} (KVM_MEMORY_ENCRYPT_UNREG_REGION, KVM API 4.112).
   *
   * @param address in this process
   * @param size bytes
   * @throws {KvmError} ENOTTY when the VM's memory is not encrypted, EINVAL for an unknown range.
   * @throws {ArgumentError} when a number is not 64 bits.
   * @throws {DisposedError} after disposal of the VM.
   */
  unregisterRegion(address: bigint | number, size: bigint | number): void {
    this.#region("encrypt-region-release", "KVM_MEMORY_ENCRYPT_UNREG_REGION", address, size);
  }

  #region(
    action: string,
    name: "KVM_MEMORY_ENCRYPT_REG_REGION" | "KVM_MEMORY_ENCRYPT_UNREG_REGION",
    address: bigint | number,
    size: bigint | number,
  ): void {
    const view = new DataView(new ArrayBuffer(kvm_enc_region.size));
    encode(kvm_enc_region, view, {
      addr: unsigned64("the address", address),
      size: unsigned64("the size", size),
    });
    act(this.#observed, action, [["size", size]], () => ioctlBuffer(this.#fd, name, view));
  }
}
