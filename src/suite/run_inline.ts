import { SystemCallError } from "../../ffi/errno.ts";
import { KvmError } from "../kvm/error.ts";
import type { Vm } from "../kvm/vm.ts";
import type { Watchdog } from "../kvm/watchdog.ts";
import type { StateEvent } from "../trace/event.ts";
import type { Assembled } from "../x86/asm/assemble.ts";
import type { Bits } from "../x86/asm/codec.ts";
import type { SystemRegisters } from "../x86/state.ts";
import { type Case, CaseError } from "./case.ts";
import { assertEquals, attempt, type DriveContext } from "./drive.ts";
import { stateLines } from "./final_state.ts";
import type { Lens } from "./lens.ts";
import type { MemoryFrame } from "./memory_frame.ts";
import { Processor, type Start } from "./processor.ts";
import type { Recording } from "./recording.ts";
import { type Readable, snapshotAtStart, snapshotOf } from "./vcpu_snapshot.ts";
import type { Autopsy } from "./verdict.ts";

/** A case on its way: everything that running it needs. */
export interface CaseRun {
  readonly definition: Case;
  readonly assembled: Assembled;
  readonly vm: Vm;
  readonly recording: Recording;
  readonly frame: MemoryFrame;
  /** What each vCPU starts with. */
  readonly start: (vcpu: number) => Start;
  readonly readable: Readable;
  /** What the host does between two exits that the guest must not notice. */
  readonly lens?: Lens;
  /** Milliseconds for all guest time. */
  readonly timeout: number;
}

/** How a run ended, before it is judged. */
export interface RunOutcome {
  readonly state: readonly StateEvent[];
  readonly autopsy?: Autopsy;
  /** What `drive` threw. */
  readonly failure?: unknown;
}

/** Which part of a case's time a guest has after it left the trace: what it does is noted only. */
const AFTERMATH = 0.1;

/** Runs a case of one vCPU in the calling thread, within its time by the watchdog of that thread. */
export async function runInline(run: CaseRun, watchdog: Watchdog): Promise<RunOutcome> {
  try {
    return await runAndRead(run, (part) => watchdog.arm(run.timeout * part));
  } finally {
    watchdog.disarm();
  }
}

/** @param arm gives the guest a part of its time from now on */
async function runAndRead(run: CaseRun, arm: (part: number) => void): Promise<RunOutcome> {
  const { definition, vm, recording, frame, readable } = run;
  using vcpu = vm.createVcpu();
  const processor = new Processor(vcpu, recording, () => arm(AFTERMATH), run.lens);
  const start = run.start(0);
  processor.start(start, readable);
  const before = snapshotAtStart(processor.read(readable), start);
  observe(run);
  // The time is the guest's: a slow machine may take as long to make its vCPU.
  arm(1);
  let failure: unknown;
  try {
    if (definition.drive !== undefined) await definition.drive(context(run, processor));
    runToEnd(recording, processor);
    run.lens?.end(vcpu);
  } catch (error) {
    failure = error;
  }
  vm.observer = undefined;
  const reading = processor.read(readable);
  const last = recording.last();
  const outcome = { before, after: snapshotOf(reading), last };
  const state: StateEvent[] = stateLines(recording.expected, outcome);
  if (last?.kind === "hlt" && !isPastHlt(run, processor)) {
    state.push({ kind: "state", name: "rip", value: reading.regs.rip });
  }
  const { irqchip = "none" } = definition;
  // With a local APIC in the kernel the API promises nothing of these.
  if (last !== undefined && last.kind !== "action" && irqchip === "none") {
    state.push(...sharedAreaLines(processor, reading.sregs, reading.regs.rflags));
  }
  state.push(...msrLines(run, processor), ...frame.lines(recording.expected));
  const { regs, sregs } = processor.diverged ?? reading;
  return {
    state,
    failure,
    autopsy: { assembled: run.assembled, bits: bitsOf(sregs), regs, sregs },
  };
}

/** Enters until the trace is there; that KVM_RUN fails is recorded, and an end too. */
function runToEnd(recording: Recording, processor: Processor): void {
  try {
    while (!recording.ended()) processor.enter();
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
  }
}

/** Records what the host does from here on, and watches the memory it adds. */
export function observe({ vm, recording, frame }: CaseRun): void {
  vm.observer = (action) => {
    recording.action(action);
    if (action.name === "slot" || action.name === "slot2") frame.watch();
  };
}

/** Operand size of the code that a vCPU is in. */
export function bitsOf({ cs, efer }: SystemRegisters): Bits {
  if ((efer & 0x400n) !== 0n && cs.l) return 64;
  return cs.db ? 32 : 16;
}

function context(run: CaseRun, processor: Processor): DriveContext {
  const { id } = run.definition;
  return {
    ...sharedContext(run),
    vcpu: processor.vcpu,
    run: () => processor.enter(),
    runOn: () => Promise.reject(new CaseError(id, "it has one vCPU: use run()")),
    thread: () => {
      throw new CaseError(id, "it has one vCPU: use vcpu");
    },
  };
}

/** What a `drive` has whether its vCPUs have threads or not. */
export function sharedContext(
  { vm, assembled, recording, frame }: CaseRun,
): Omit<DriveContext, "vcpu" | "run" | "runOn" | "thread"> {
  return {
    vm,
    labels: assembled.symbols,
    attempt,
    assertEquals,
    note: (name, operands = [], answer) => recording.action({ name, operands, answer }),
    write: (guestAddress, bytes) => frame.write(BigInt(guestAddress), bytes),
    read: (guestAddress, size) => vm.memory.bytes(guestAddress, size).slice(),
  };
}

/** Whether RIP is the address after an HLT instruction. */
function isPastHlt(run: CaseRun, { vcpu }: Processor): boolean {
  const { cs } = vcpu.sregs();
  const { valid, physical_address } = vcpu.translate(cs.base + vcpu.regs().rip - 1n);
  if (valid === 0) return false;
  try {
    return run.vm.memory.bytes(physical_address, 1)[0] === 0xf4;
  } catch {
    return false;
  }
}

/** Values in the area shared with KVM that contradict the registers (KVM API 5). */
function sharedAreaLines(
  { vcpu }: Processor,
  sregs: SystemRegisters,
  rflags: bigint,
): StateEvent[] {
  const interruptFlag = (rflags & 0x200n) !== 0n;
  const pairs: [name: string, shared: bigint, real: bigint][] = [
    ["run.if-flag", vcpu.ifFlag ? 1n : 0n, interruptFlag ? 1n : 0n],
    ["run.cr8", vcpu.cr8, sregs.cr8],
    ["run.apic-base", vcpu.apicBase, sregs.apic_base],
  ];
  return pairs.filter(([, shared, real]) => shared !== real)
    .map(([name, value]) => ({ kind: "state", name, value }));
}

/** The MSRs that the trace names, as `msr.0x...`. */
function msrLines({ recording }: CaseRun, { vcpu }: Processor): StateEvent[] {
  const lines: StateEvent[] = [];
  for (const line of recording.expected) {
    if (line.kind !== "state" || !line.name.startsWith("msr.0x")) continue;
    try {
      const [msr] = vcpu.msrs([Number(line.name.slice(4))]);
      if (msr !== undefined) lines.push({ kind: "state", name: line.name, value: msr.data });
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
    }
  }
  return lines;
}
