import { SystemCallError } from "../../ffi/errno.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";

/** What KVM's API document, or the meaning of the errno itself, gives as the cause of a failure. */
const causes: Partial<Record<IoctlName, Readonly<Record<string, string>>>> = {
  KVM_CREATE_VM: {
    ENOMEM: "the host is out of memory",
    EINVAL: "this host's KVM does not have that type of VM",
    EBUSY: "another hypervisor holds the virtualization extension of this CPU",
  },
  KVM_CREATE_VCPU: {
    EEXIST: "a vCPU with that id exists",
    EINVAL: "the vCPU id is out of range (KVM_CAP_MAX_VCPU_ID) or too many vCPUs were made",
  },
  KVM_RUN: {
    EINTR: "an unmasked signal is pending",
    EFAULT: "guest memory is backed by host memory that is not mapped",
    ENOEXEC: "the vCPU is not initialized",
    EAGAIN: "the vCPU's multiprocessing state was changed while it was entered",
  },
  KVM_SET_USER_MEMORY_REGION: {
    EEXIST: "the slot overlaps another one in guest physical addresses",
    EINVAL:
      "the slot number, flags, size or an alignment is invalid, or a slot's size or host address changes",
    ENOENT: "no slot of that number is there to delete",
  },
  KVM_INTERRUPT: {
    EEXIST: "an interrupt is already enqueued",
    EINVAL: "the vector is above 255",
    ENXIO: "the interrupt controller is in the kernel",
    EFAULT: "the argument cannot be read",
  },
  KVM_CREATE_IRQCHIP: {
    EEXIST: "the VM has an interrupt controller",
    EINVAL: "a vCPU exists already: the interrupt controller has to be made first",
  },
  KVM_CREATE_PIT2: {
    EEXIST: "the VM has a PIT",
    ENOENT: "the VM has no in-kernel interrupt controller",
  },
  KVM_IRQ_LINE: { ENXIO: "the VM has no in-kernel interrupt controller" },
  KVM_GET_DIRTY_LOG: {
    ENOENT: "the slot does not exist or does not log dirty pages",
    EINVAL: "the slot number is out of range",
    ENXIO: "the VM uses the dirty ring instead of the bitmap",
  },
  KVM_SET_CPUID2: {
    E2BIG: "there are too many entries",
    EINVAL: "a leaf changes after the vCPU has run, or asks for what KVM does not support",
  },
  KVM_SET_SREGS: { EINVAL: "the control registers, EFER or a segment contradict each other" },
  KVM_SET_REGS: { EINVAL: "the registers contradict each other" },
  KVM_SET_SIGNAL_MASK: { EINVAL: "the mask is not 8 bytes" },
};

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
   */
  constructor(readonly ioctl: IoctlName, errno: number, detail?: string) {
    super(ioctl, errno, detail);
    const cause = causes[ioctl]?.[this.code];
    if (cause !== undefined) this.message += ` (${cause})`;
  }
}
