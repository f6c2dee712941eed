import type { Vm } from "../kvm/vm.ts";
import type { Assembly } from "../x86/asm/assembly.ts";
import type { Handler } from "../x86/descriptor_tables.ts";
import type { MachineOptions } from "../x86/modes.ts";
import type { ModeName } from "../x86/registers.ts";
import type { Registers } from "../x86/state.ts";
import type { DriveContext } from "./drive.ts";
import type { LensName } from "./lens.ts";
import type { Requirement } from "./requirement.ts";

/** Thrown when a case contradicts itself; the message names the case and the mend. */
export class CaseError extends Error {
  /** The class's name. */
  override readonly name = "CaseError";

  /**
   * Says what is wrong with the case.
   *
   * @param id the case
   * @param problem what is wrong, and what to do
   */
  constructor(readonly id: string, problem: string) {
    super(`case ${id}: ${problem}`);
  }
}

/** A handler of a vector, at a label of the guest or at an address. */
export type HandlerAt = string | number | (Omit<Handler, "offset"> & { at: string | number });

/** Which interrupt controllers KVM emulates for a case. */
export type Irqchip = "none" | "kernel" | "split";

/**
 * One case: a guest, what the host does to it, and the trace that the specification promises.
 *
 * The trace is the whole outcome. Every exit is a line of it, and everything that differs at the
 * end from the state the guest started with (a register, a flag, a byte of memory, a waiting event)
 * has an `=` line, or the case fails.
 */
export interface CaseDefinition {
  /** `area/name`, `area/name~variation`; the path of its file says the same. */
  readonly id: string;
  /** The clauses it judges by: KVM API document, SDM, APM. At least one. */
  readonly spec: string | readonly string[];
  /** The CPU mode the guest starts in. */
  readonly mode: ModeName;
  /** The guest's program, at {@link memoryMap}'s code; it starts at its first byte. */
  readonly guest: Assembly;
  /** What is promised; a function gets the guest's labels as hexadecimal text. */
  readonly trace: string | ((labels: Readonly<Record<string, string>>) => string);
  /** What the host must have; without it the case is skipped. */
  readonly requires?: readonly Requirement[];
  /** What differs from the state that the mode starts in. */
  readonly machine?: Omit<MachineOptions, "handlers">;
  /** Interrupt and exception handlers by vector. */
  readonly handlers?: Readonly<Record<number, HandlerAt>>;
  /** Registers that do not start with their default (see {@link initialRegisters}). */
  readonly registers?: Partial<Registers>;
  /** Default `"none"`: the host is the interrupt controller. */
  readonly irqchip?: Irqchip;
  /**
   * What is done to the VM before it gets memory and its first vCPU, such as a capability that has to
   * be enabled by then. It is not recorded.
   */
  readonly prepare?: (vm: Vm) => void;
  /** How many vCPUs; above 1 each has its own thread. vCPU N starts at the label `vcpuN`. */
  readonly vcpus?: number;
  /** What the host does, where running the guest to the end of the trace is not enough. */
  readonly drive?: (context: DriveContext) => void | Promise<void>;
  /** Under which lenses its trace is not promised, and why. */
  readonly withoutLens?: Readonly<Partial<Record<LensName, string>>>;
  /** Milliseconds that all its guest time may take; default 3000. */
  readonly timeout?: number;
}

/** A case whose definition was checked. */
export interface Case extends Omit<CaseDefinition, "spec"> {
  /** The clauses it judges by. */
  readonly spec: readonly string[];
  /** The id's part before the slash. */
  readonly area: string;
}

const idPattern = /^[a-z0-9-]+\/[a-z0-9-]+(~[a-z0-9-]+)?$/;

/**
 * Checks a case's definition; a file of the suite exports the result as its default.
 *
 * @throws {CaseError} when the id is malformed or no clause is named.
 *
 * @example
 * ```ts
 * import { asm, defineCase } from "@trapline/trapline";
 *
 * export default defineCase({
 *   id: "pio/out-imm8",
 *   spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2B: OUT"],
 *   mode: "real",
 *   guest: asm`
 *     mov al, 0x41
 *     out 0x10, al
 *     hlt
 *   `,
 *   trace: `
 *     pio out 0x10 u8 0x41
 *     hlt
 *     = rax 0x41
 *   `,
 * });
 * ```
 */
export function defineCase(definition: CaseDefinition): Case {
  const { id } = definition;
  if (!idPattern.test(id)) {
    throw new CaseError(id, "the id is not area/name or area/name~variation in a-z, 0-9 and -");
  }
  const spec = typeof definition.spec === "string" ? [definition.spec] : definition.spec;
  if (spec.length === 0) {
    throw new CaseError(id, "no clause: `spec` names what promises the trace");
  }
  return Object.freeze({ ...definition, spec, area: id.slice(0, id.indexOf("/")) });
}

/**
 * Defines one case for each row of a table: `area/name~row`.
 *
 * @param id `area/name`
 * @param rows the variations by name
 * @param build gives a row's definition
 * @throws {CaseError} when an id is malformed or no clause is named.
 *
 * @example
 * ```ts
 * import { asm, defineCases } from "@trapline/trapline";
 *
 * export default defineCases(
 *   "pio/out-dx",
 *   { low: { port: 0x0 }, high: { port: 0xffff } },
 *   ({ port }) => ({
 *     spec: "SDM 2B: OUT",
 *     mode: "real",
 *     guest: asm`
 *       mov dx, ${port}
 *       out dx, al
 *       hlt
 *     `,
 *     trace: `
 *       pio out 0x${port.toString(16)} u8 0x0
 *       hlt
 *       = rdx 0x${port.toString(16)}
 *     `,
 *   }),
 * );
 * ```
 */
export function defineCases<Row>(
  id: string,
  rows: Readonly<Record<string, Row>>,
  build: (row: Row, variation: string) => Omit<CaseDefinition, "id">,
): readonly Case[] {
  return Object.entries(rows).map(([variation, row]) =>
    defineCase({ ...build(row, variation), id: `${id}~${variation}` })
  );
}

/**
 * The general registers that a guest starts with: RSP at the top of the stack, R8 to R15 with a
 * value of their own each (0x0808080808080808 and so on), so that one that is lost or mixed up
 * shows, and the rest 0.
 */
export function initialRegisters(
  start: { rip: bigint; rsp: bigint; rflags: bigint },
  changes: Partial<Registers> = {},
): Registers {
  return {
    rax: 0n,
    rbx: 0n,
    rcx: 0n,
    rdx: 0n,
    rsi: 0n,
    rdi: 0n,
    rbp: 0n,
    r8: 0x0808080808080808n,
    r9: 0x0909090909090909n,
    r10: 0x0a0a0a0a0a0a0a0an,
    r11: 0x0b0b0b0b0b0b0b0bn,
    r12: 0x0c0c0c0c0c0c0c0cn,
    r13: 0x0d0d0d0d0d0d0d0dn,
    r14: 0x0e0e0e0e0e0e0e0en,
    r15: 0x0f0f0f0f0f0f0f0fn,
    ...start,
    ...changes,
  };
}
