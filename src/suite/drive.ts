import { KvmError } from "../kvm/error.ts";
import type { Exit } from "../kvm/exit.ts";
import type { ActionOperand, HostAction } from "../kvm/action.ts";
import type { Vcpu } from "../kvm/vcpu.ts";
import type { VcpuThread } from "../kvm/vcpu_thread.ts";
import type { Vm } from "../kvm/vm.ts";

/** A vCPU whose entries belong to the runner: everything but running and answering. */
export type DrivenVcpu = Omit<Vcpu, "run" | "answer" | "refuse" | typeof Symbol.dispose>;

/** The thread of a vCPU, likewise. */
export type DrivenThread = Pick<VcpuThread, "id" | "kick" | "setImmediateExit" | "call">;

/** Thrown by an assertion of a `drive` that does not hold: the case fails. */
export class CaseFailure extends Error {
  /** The class's name. */
  override readonly name = "CaseFailure";
}

/** Thrown out of a `drive` when its guest may not be entered any more: its time is over. */
export class CaseEnded extends Error {
  /** The class's name. */
  override readonly name = "CaseEnded";
}

/**
 * What a case's `drive` acts with: the VM and vCPU that a user of {@link Kvm} has, except that the
 * runner enters the guest, so that every exit is recorded and answered by the trace.
 *
 * What is done to `vm` and `vcpu` is recorded as `>` lines, with the errno where it fails. Reading
 * a state is not.
 */
export interface DriveContext {
  /** The VM; adding to it and changing it is recorded. */
  readonly vm: Vm;
  /** The vCPU of a case that has one. */
  readonly vcpu: DrivenVcpu;
  /** The guest's labels. */
  readonly labels: ReadonlyMap<string, bigint>;

  /**
   * Enters the guest once, records why it came back, and answers an IN, a read or a RDMSR with
   * what the trace says.
   *
   * @throws {KvmError} when KVM_RUN fails; the trace has it as `> run -> ERRNO`.
   * @throws {CaseEnded} when the case's time is over.
   */
  run(): Exit;

  /** The same for a vCPU of a case that has several; what it throws, its promise rejects with. */
  runOn(vcpu: number): Promise<Exit>;

  /** The thread of a vCPU of a case that has several. */
  thread(vcpu: number): DrivenThread;

  /**
   * Does something that KVM may refuse: the errno is in the trace, so the case goes on.
   *
   * @throws whatever is no {@link KvmError}.
   */
  attempt(body: () => unknown): void;

  /** Adds a `>` line for what the host saw, such as the count of an eventfd. */
  note(name: string, operands?: readonly ActionOperand[], answer?: HostAction["answer"]): void;

  /** Writes guest memory as a part of what the guest finds: it is not a change of the guest's. */
  write(guestAddress: bigint | number, bytes: Uint8Array): void;

  /** Reads guest memory. */
  read(guestAddress: bigint | number, size: number): Uint8Array;

  /**
   * Fails the case unless two values are equal, member by member.
   *
   * @param what what is compared, in the words of the failure
   * @throws {CaseFailure} with both values.
   */
  assertEquals(what: string, actual: unknown, expected: unknown): void;
}

/** Runs a body and swallows a {@link KvmError}: the trace has it. */
export function attempt(body: () => unknown): void {
  try {
    body();
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
  }
}

/**
 * Throws unless two values have the same text, in which bigints are hexadecimal.
 *
 * @throws {CaseFailure} with both values.
 */
export function assertEquals(what: string, actual: unknown, expected: unknown): void {
  const [got, wanted] = [show(actual), show(expected)];
  if (got !== wanted) throw new CaseFailure(`${what}: expected ${wanted}, got ${got}`);
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, member) => {
    if (typeof member === "bigint") return `0x${member.toString(16)}`;
    return member instanceof Uint8Array ? [...member] : member;
  }) ?? "undefined";
}
