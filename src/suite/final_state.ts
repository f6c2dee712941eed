/** The `=` lines of a trace: what it names, and what changed without being named. */
import type { ExpectedTrace, State, StreamEvent } from "../trace/event.ts";
import type { Snapshot } from "./vcpu_snapshot.ts";

/** Registers of which the specification promises nothing after these. */
const undefinedState: ReadonlySet<string> = new Set(["shutdown", "fail-entry", "timeout"]);

/** What a vCPU was like before and after, and how it ended. */
export interface VcpuOutcome {
  readonly before: Snapshot;
  readonly after: Snapshot;
  /** Its last event. */
  readonly last?: StreamEvent;
  /** Its number, in a case that has several. */
  readonly vcpu?: number;
}

/** The state lines of one vCPU; memory has its own ({@link MemoryFrame}). */
export function stateLines(expected: ExpectedTrace, outcome: VcpuOutcome): State[] {
  const { before, after, last, vcpu } = outcome;
  const named = new Set<string>();
  for (const line of expected) {
    if (line.kind === "state" && line.vcpu === vcpu) named.add(line.name);
  }
  const framed = last === undefined || !undefinedState.has(last.kind);
  const lines: State[] = [];
  for (const [name, value] of after) {
    const changed = framed && value !== before.get(name) && isPromised(name, last);
    if (changed || named.has(name)) lines.push({ kind: "state", vcpu, name, value });
  }
  return lines;
}

/** Whether the specification promises a value at an exit when the trace does not name it. */
function isPromised(name: string, last: StreamEvent | undefined): boolean {
  // Where RIP stands is promised of HLT alone, and judged by what lies before it; an instruction
  // that KVM has yet to complete may have moved it or not.
  if (name === "rip") return false;
  if (last?.kind === "internal-error") return !/^(exception|interrupt|nmi)\./.test(name);
  return true;
}
