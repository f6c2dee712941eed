import type { Assembled } from "../x86/asm/assemble.ts";
import type { Bits } from "../x86/asm/codec.ts";
import type { Registers, SystemRegisters } from "../x86/state.ts";
import type { ExpectedTrace, Trace } from "../trace/event.ts";
import type { Divergence } from "../trace/script.ts";
import type { Case } from "./case.ts";

/**
 * What became of a case: the traces agree; they differ; something the case needs is missing; the
 * watchdog ended the guest; the kernel or the process died; the harness is at fault.
 */
export type Verdict = "pass" | "fail" | "skip" | "timeout" | "crash" | "error";

/** Where a guest stood at the end, for the report of a failure. */
export interface Autopsy {
  /** The program. */
  readonly assembled: Assembled;
  /** Operand size of the code at the end: 16, 32 or 64. */
  readonly bits: Bits;
  /** General registers. */
  readonly regs: Registers;
  /** Segments and control registers. */
  readonly sregs: SystemRegisters;
}

/** The outcome of one case on one host. */
export interface CaseResult {
  /** What was run. */
  readonly case: Case;
  /** What became of it. */
  readonly verdict: Verdict;
  /** Why, in one sentence; a pass needs none. */
  readonly reason?: string;
  /** What was promised. */
  readonly expected: ExpectedTrace;
  /** What was recorded, as far as it came. */
  readonly trace: Trace;
  /** Where the two traces part. */
  readonly divergence?: Divergence;
  /** Where the guest stood, if it came that far. */
  readonly autopsy?: Autopsy;
  /** Wall time, VM and all. */
  readonly milliseconds: number;
  /** What the kernel logged, where a lab's kernel died in the case. */
  readonly log?: string;
}
