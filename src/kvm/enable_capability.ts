import { shown } from "../../ffi/argument.ts";
import { capabilities, type CapabilityName } from "../../ffi/abi/capabilities.ts";
import { kvm_enable_cap } from "../../ffi/abi/control.ts";
import { encode, LayoutError } from "../../ffi/abi/layout.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type Observed } from "./action.ts";
import { ioctlBuffer } from "./ioctl.ts";

/**
 * Switches a capability of a VM or a vCPU on (KVM_ENABLE_CAP, KVM API 4.37).
 *
 * @param args up to four 64-bit arguments
 * @throws {KvmError} EINVAL when KVM does not have it or an argument is wrong.
 * @throws {LayoutError} when there are more than four arguments, or one is no unsigned integer of
 * 64 bits.
 * @throws {DisposedError} when the descriptor is closed.
 */
export function enableCapability(
  fd: FileDescriptor,
  observed: Observed,
  capability: CapabilityName,
  args: readonly (number | bigint)[],
): void {
  const number = typeof capability === "string" && Object.hasOwn(capabilities, capability)
    ? capabilities[capability]
    : undefined;
  if (number === undefined) throw new LayoutError(`there is no capability ${shown(capability)}`);
  if (args.length > 4) {
    throw new LayoutError(`${capability} is given ${args.length} arguments; it takes up to 4`);
  }
  const values = Array.from({ length: 4 }, (_, index) => {
    const value = args[index] ?? 0;
    return Number.isSafeInteger(value) ? BigInt(value) : value as bigint;
  });
  const view = new DataView(new ArrayBuffer(kvm_enable_cap.size));
  encode(kvm_enable_cap, view, { cap: number, flags: 0, args: values });
  const name = capability.replace(/^KVM_CAP_/, "").toLowerCase().replaceAll("_", "-");
  act(observed, "enable", [name, ...args], () => {
    ioctlBuffer(fd, "KVM_ENABLE_CAP", view, capability);
  });
}
