/** Why a machine has no KVM that can be used, and what to do about it. */
import { SystemCallError } from "../../ffi/errno.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { UnsupportedPlatformError } from "../../ffi/libc.ts";

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
 * Opens KVM's device.
 *
 * @throws {HostError} saying why it cannot be opened.
 */
export function openDevice(path: string): FileDescriptor {
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
