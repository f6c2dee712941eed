import type { HostAction } from "../kvm/action.ts";
import type { Exit } from "../kvm/exit.ts";
import type { ExpectedTrace, StateEvent, StreamEvent, Trace } from "../trace/event.ts";
import type { Answer } from "../trace/match.ts";
import { type Comparison, type Divergence, Script } from "../trace/script.ts";
import { accessOf, actionOf, defaultAnswer, eventOf } from "./exit_event.ts";

/** How many events are recorded after the first that was not expected. */
const AFTERMATH = 16;

/** The exits that nothing can follow on their own: only a host that acts goes on from them. */
const terminal: ReadonlySet<string> = new Set([
  "hlt",
  "shutdown",
  "internal-error",
  "fail-entry",
  "system-event",
  "timeout",
  "unknown",
]);

/** KVM_RUN failed, and would again. */
function isRefusedEntry(event: StreamEvent): boolean {
  return event.kind === "action" && event.name === "run";
}

/** A trace while it is made, judged line by line against the expected one. */
export class Recording {
  readonly #script: Script;
  readonly #events: StreamEvent[] = [];
  #state: readonly StateEvent[] = [];
  #aftermath = 0;
  #timedOut = false;

  /** Nothing has happened yet. */
  constructor(readonly expected: ExpectedTrace) {
    this.#script = new Script(expected);
  }

  /** Records an exit, and gives what the host has to answer, if the guest waits for something. */
  exit(exit: Exit, vcpu?: number): Answer | undefined {
    const access = accessOf(exit, vcpu);
    const answer = access && (this.#script.answer(access) ?? defaultAnswer(exit));
    const event = eventOf(exit, vcpu, answer);
    if (event.kind === "timeout") this.#timedOut = true;
    this.#record(event);
    return answer;
  }

  /** Records something that the host did. */
  action(action: HostAction, vcpu?: number): void {
    this.#record({ ...actionOf(action), vcpu });
  }

  #record(event: StreamEvent): void {
    this.#events.push(event);
    if (!this.#script.accept(event)) this.#aftermath++;
  }

  /** The last event, of a vCPU where several are told apart. */
  last(vcpu?: number): StreamEvent | undefined {
    return this.#events.findLast((event) => event.vcpu === vcpu);
  }

  /** Where the recorded trace first left the expected one, so far. */
  get divergence(): Divergence | undefined {
    return this.#script.divergence;
  }

  /** Whether the watchdog ended the guest. */
  get timedOut(): boolean {
    return this.#timedOut;
  }

  /** Whether a vCPU has nothing more to do: its part of the trace is there, or can never be. */
  ended(vcpu?: number): boolean {
    if (this.#timedOut || this.#aftermath > AFTERMATH) return true;
    if (!this.#script.divergence) return this.#script.exhausted(vcpu);
    const last = this.last(vcpu);
    return last !== undefined && (terminal.has(last.kind) || isRefusedEntry(last));
  }

  /** Records the final state and judges the whole. */
  finish(state: readonly StateEvent[]): Comparison {
    this.#state = state;
    return this.#script.finish(state);
  }

  /** What was recorded. */
  get trace(): Trace {
    return [...this.#events, ...this.#state];
  }
}
