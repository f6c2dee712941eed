/** How KVM's exits and the host's actions become lines of a trace. */
import type { HostAction } from "../kvm/action.ts";
import type { Exit } from "../kvm/exit.ts";
import type { AccessSize, Action, GuestEvent } from "../trace/event.ts";
import type { Access, Answer } from "../trace/match.ts";

const internalErrorNames = {
  1: "emulation",
  2: "simul-ex",
  3: "delivery-ev",
  4: "unexpected-exit-reason",
} as const;

const systemEventNames = {
  1: "shutdown",
  2: "reset",
  3: "crash",
  4: "wakeup",
  5: "suspend",
  6: "sev-term",
} as const;

function named<T extends string>(
  names: Readonly<Record<number, T>>,
  number: number,
): T | bigint {
  return names[number] ?? BigInt(number);
}

/** The exits that wait for the host's answer, as the script is asked about them. */
export function accessOf(exit: Exit, vcpu?: number): Access | undefined {
  switch (exit.reason) {
    case "pio":
      if (exit.direction === "out") return;
      return {
        kind: "pio",
        vcpu,
        direction: "in",
        port: BigInt(exit.port),
        size: exit.size,
        count: exit.count,
      };
    case "mmio": {
      if (exit.direction === "write") return;
      const size = exit.size as AccessSize;
      return { kind: "mmio", vcpu, direction: "read", address: exit.address, size };
    }
    case "rdmsr":
      return { kind: "rdmsr", vcpu, index: BigInt(exit.index), reason: exit.why };
    case "wrmsr":
      return {
        kind: "wrmsr",
        vcpu,
        index: BigInt(exit.index),
        reason: exit.why,
        value: exit.value,
      };
    case "hypercall":
    case "xen-hypercall":
    case "hyperv-hypercall":
    case "hyperv-debug":
      return eventOf(exit, vcpu) as Access;
  }
}

/** What the host answers where the script does not say: open bus, or a refused MSR. */
export function defaultAnswer(exit: Exit): Answer {
  switch (exit.reason) {
    case "pio":
      return Array(exit.count).fill(allOnes(exit.size));
    case "mmio":
      return [allOnes(exit.size)];
    case "hypercall":
    case "xen-hypercall":
    case "hyperv-hypercall":
    case "hyperv-debug":
      return [0n];
    default:
      return "error";
  }
}

function allOnes(bytes: number): bigint {
  return (1n << BigInt(8 * bytes)) - 1n;
}

/** The line of an exit, complete with what the host answered. */
export function eventOf(exit: Exit, vcpu?: number, answer?: Answer): GuestEvent {
  const value = answer === "error" ? undefined : answer?.[0];
  switch (exit.reason) {
    case "pio": {
      const values = exit.direction === "out" ? exit.values.map(BigInt) : answer as bigint[];
      return {
        kind: "pio",
        vcpu,
        direction: exit.direction,
        port: BigInt(exit.port),
        size: exit.size,
        value: exit.count === 1 ? values[0] : values,
      };
    }
    case "mmio":
      return {
        kind: "mmio",
        vcpu,
        direction: exit.direction,
        address: exit.address,
        size: exit.size as AccessSize,
        value: exit.direction === "write" ? exit.value : value!,
      };
    case "intr":
      return { kind: exit.cause === "deadline" ? "timeout" : "intr", vcpu };
    case "debug": {
      const { exception, pc, dr6, dr7 } = exit;
      return { kind: "debug", vcpu, exception: BigInt(exception), rip: pc, dr6, dr7 };
    }
    case "rdmsr":
      return {
        kind: "rdmsr",
        vcpu,
        index: BigInt(exit.index),
        reason: exit.why,
        answer: value ?? "error",
      };
    case "wrmsr":
      return {
        kind: "wrmsr",
        vcpu,
        index: BigInt(exit.index),
        value: exit.value,
        reason: exit.why,
        answer: answer === "error" ? "error" : undefined,
      };
    case "internal-error":
      return { kind: "internal-error", vcpu, suberror: named(internalErrorNames, exit.suberror) };
    case "fail-entry":
      return { kind: "fail-entry", vcpu, reason: exit.hardwareReason };
    case "system-event":
      return { kind: "system-event", vcpu, type: named(systemEventNames, exit.type) };
    case "hypercall":
      return {
        kind: "hypercall",
        vcpu,
        nr: exit.number,
        args: exit.args,
        flags: exit.flags,
        answer: value,
      };
    case "tpr-access":
      return { kind: "tpr-access", vcpu, rip: exit.rip, write: exit.isWrite ? 1n : 0n };
    case "ioapic-eoi":
      return { kind: "ioapic-eoi", vcpu, vector: BigInt(exit.vector) };
    case "notify":
      return { kind: "notify", vcpu, flags: BigInt(exit.flags) };
    case "memory-fault": {
      const { flags, address, size } = exit;
      return { kind: "memory-fault", vcpu, flags, gpa: address, size };
    }
    case "unknown":
    case "other-architecture":
      return { kind: "unknown", vcpu, reason: BigInt(exit.exitReason) };
    case "exception": {
      const { exception, errorCode } = exit;
      return { kind: "exception", vcpu, vector: BigInt(exception), error: BigInt(errorCode) };
    }
    case "xen-hypercall":
      return {
        kind: "xen-hypercall",
        vcpu,
        nr: exit.input,
        args: exit.params,
        long: exit.longMode ? 1n : 0n,
        cpl: BigInt(exit.cpl),
        answer: value,
      };
    case "hyperv-synic": {
      const { msr, control, eventPage: siefp, messagePage: simp } = exit;
      return { kind: "hyperv-synic", vcpu, index: BigInt(msr), control, siefp, simp };
    }
    case "hyperv-hypercall": {
      const { input, params: args } = exit;
      return { kind: "hyperv-hypercall", vcpu, input, args, answer: value };
    }
    case "hyperv-debug":
      return {
        kind: "hyperv-debug",
        vcpu,
        index: BigInt(exit.msr),
        control: exit.control,
        send: exit.sendPage,
        receive: exit.receivePage,
        pending: exit.pendingPage,
        answer: value,
      };
    default:
      return { kind: exit.reason, vcpu };
  }
}

/** The line of something the host did. */
export function actionOf(action: HostAction): Action {
  const { name, operands, answer } = action;
  return {
    kind: "action",
    name,
    operands: operands.map((operand) =>
      Array.isArray(operand)
        ? { key: operand[0] as string, value: operandValue(operand[1]) }
        : operandValue(operand as string | number | bigint)
    ),
    ...(answer === undefined ? {} : { answer }),
  };
}

function operandValue(operand: string | number | bigint): string | bigint {
  return typeof operand === "number" ? BigInt(operand) : operand;
}
