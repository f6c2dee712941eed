import { SystemCallError } from "../../ffi/errno.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { causes } from "./causes.ts";

/**
 * Thrown when a KVM ioctl fails: the ioctl's name in `call`, the errno by number and by name
 * (`code`), and the documented cause in the message where there is one.
 *
 * @example
 * ```ts
 * import { Kvm, KvmError } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using first = vm.createVcpu(0);
 * try {
 *   vm.createVcpu(0);
 * } catch (error) {
 *   if (error instanceof KvmError) console.log(error.call, error.code); // KVM_CREATE_VCPU EEXIST
 * }
 * ```
 */
export class KvmError extends SystemCallError {
  /** The class's name. */
  override readonly name: string = "KvmError";

  /**
   * Says what failed and how.
   *
   * @param ioctl the ioctl's name in KVM's API document
   * @param errno the error number it left
   * @param detail what was asked of it
   * @param needed how many entries the answer has, where KVM says so with E2BIG
   */
  constructor(
    readonly ioctl: IoctlName,
    errno: number,
    detail?: string,
    readonly needed?: number,
  ) {
    super(ioctl, errno, detail);
    const cause = causes[ioctl]?.[this.code];
    if (cause !== undefined) this.message += ` (${cause})`;
    if (needed !== undefined) this.message += `: ${needed} entries are needed`;
  }
}
