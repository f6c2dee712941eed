import { list, object, oneOf } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { kvm_guest_debug } from "../../ffi/abi/control.ts";
import { encode, LayoutError } from "../../ffi/abi/layout.ts";
import type { ActionOperand } from "./action.ts";

/** What a host debugs of a guest: `struct kvm_guest_debug` (KVM_SET_GUEST_DEBUG, KVM API 4.87). */
export interface GuestDebug {
  /** Exits with `debug` after each instruction. */
  readonly singleStep?: boolean;
  /** Exits with `debug` at an INT3 instead of giving it to the guest. */
  readonly softwareBreakpoints?: boolean;
  /** Debug registers that take the place of the guest's own; the guest does not see them. */
  readonly hardwareBreakpoints?: {
    /** DR0 to DR3, linear addresses; those not given are 0. */
    readonly addresses: readonly bigint[];
    /** DR7: which of them are enabled, for what access and size (SDM 3B 18.2.4). */
    readonly dr7: bigint;
  };
  /** No interrupt, NMI or SMI is injected while the guest is stepped (KVM_CAP_SET_GUEST_DEBUG2). */
  readonly blockInterrupts?: boolean;
  /** Injects #DB or #BP into the guest, once. */
  readonly inject?: "db" | "bp";
}

/**
 * Throws unless a value tells what to debug.
 *
 * @throws {ArgumentError} when it, or a member of it, is of another kind.
 */
export function checkGuestDebug(debug: GuestDebug): GuestDebug {
  const { hardwareBreakpoints, inject } = object("what to debug", debug);
  if (inject !== undefined) oneOf("the exception to inject", inject, { db: 1, bp: 3 });
  if (hardwareBreakpoints !== undefined) {
    list("the breakpoints", object("the breakpoints", hardwareBreakpoints).addresses);
  }
  return debug;
}

/** The bytes of the structure; nothing to debug switches debugging off. */
export function encodeGuestDebug(debug: GuestDebug): DataView<ArrayBuffer> {
  const { singleStep, softwareBreakpoints, hardwareBreakpoints, blockInterrupts, inject } = debug;
  let control = 0;
  if (singleStep) control |= constants.KVM_GUESTDBG_SINGLESTEP;
  if (softwareBreakpoints) control |= constants.KVM_GUESTDBG_USE_SW_BP;
  if (hardwareBreakpoints) control |= constants.KVM_GUESTDBG_USE_HW_BP;
  if (blockInterrupts) control |= constants.KVM_GUESTDBG_BLOCKIRQ;
  if (control !== 0) control |= constants.KVM_GUESTDBG_ENABLE;
  if (inject === "db") control |= constants.KVM_GUESTDBG_INJECT_DB;
  if (inject === "bp") control |= constants.KVM_GUESTDBG_INJECT_BP;
  const addresses = hardwareBreakpoints?.addresses ?? [];
  if (addresses.length > 4) {
    throw new LayoutError(`${addresses.length} breakpoints; the debug registers hold 4 addresses`);
  }
  const debugreg = Array<bigint>(8).fill(0n);
  addresses.forEach((address, index) => debugreg[index] = address);
  debugreg[7] = hardwareBreakpoints?.dr7 ?? 0n;
  const view = new DataView(new ArrayBuffer(kvm_guest_debug.size));
  encode(kvm_guest_debug, view, { control, arch: { debugreg } });
  return view;
}

/** The operands of the action's `>` line: what is debugged, or `off`. */
export function guestDebugOperands(debug: GuestDebug): ActionOperand[] {
  const { singleStep, softwareBreakpoints, hardwareBreakpoints, blockInterrupts, inject } = debug;
  const operands: ActionOperand[] = [];
  if (singleStep) operands.push("single-step");
  if (softwareBreakpoints) operands.push("software-breakpoints");
  if (hardwareBreakpoints) operands.push("hardware-breakpoints");
  if (blockInterrupts) operands.push("block-interrupts");
  if (inject !== undefined) operands.push(`inject-${inject}`);
  return operands.length > 0 ? operands : ["off"];
}
