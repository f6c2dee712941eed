/** One boot of a lab, from its first sign to its end. */
import type { Case } from "../../src/suite/case.ts";
import { type EndMessage, type Message, parseMessage, type Stage } from "./channel.ts";
import { ConsoleLog } from "./console_log.ts";
import type { RunningEmulator } from "./emulator.ts";
import { LineReader } from "./lines.ts";

/** How long a lab may be silent or busy, in milliseconds. */
export interface SessionLimits {
  /** From the start to the first case. */
  readonly boot: number;
  /** Between two signs of life. */
  readonly heartbeat: number;
  /** For a case. */
  readonly case: (definition: Case) => number;
  /** After the kernel has complained, for it to say why and to end. */
  readonly lastWords: number;
}

/** What a session tells while it goes on. */
export interface SessionEvents {
  stage(stage: Stage): void;
  /** @returns the case of a number */
  begin(number: number): Case;
  end(message: EndMessage): void;
}

/** How a boot of a lab ended. */
export interface SessionEnd {
  /** All cases were run; the kernel or the emulator died; a case took too long in a lab alive. */
  readonly kind: "done" | "crash" | "timeout";
  /** Why, in words. */
  readonly reason: string;
  /** Whether it came as far as the first case. */
  readonly ready: boolean;
  /** The case that was running, and for how long: milliseconds. */
  readonly running?: { readonly number: number; readonly milliseconds: number };
  /** What the kernel said while that case was running, or at last. */
  readonly log: string;
}

/** What a kernel says when it is not well, whether it goes on or not. */
const complaint =
  /\b(Kernel panic|BUG:|WARNING: |Oops|UBSAN:|KASAN:|KCSAN:|general protection fault|INFO: task .* blocked|INFO: rcu\w* .*stall|soft lockup|hard LOCKUP)/;
/** How often the limits are looked at, in milliseconds. */
const TICK = 50;

/** A message, with the place of the console when it came. */
interface Heard {
  readonly message: Message;
  readonly place: number;
}

interface RunningCase {
  readonly number: number;
  readonly since: number;
  /** Milliseconds that it may take. */
  readonly limit: number;
  /** The place of the console when it began. */
  readonly place: number;
}

/** Watches a lab that was started. */
export class Session {
  readonly #running: RunningEmulator;
  readonly #limits: SessionLimits;
  readonly #events: SessionEvents;
  readonly #started = performance.now();
  #lastSign = performance.now();
  #ready = false;
  /** Whether KVM is there: from here on the kernel has nothing to complain of. */
  #loaded = false;
  readonly #console = new ConsoleLog();
  #case: RunningCase | undefined;
  #complaint: { readonly line: string; readonly since: number } | undefined;
  #panic = false;
  /** What the channel said after the complaint. */
  readonly #held: Heard[] = [];
  #failure: { readonly error: unknown } | undefined;
  #verdict: { kind: SessionEnd["kind"]; reason: string } | undefined;

  /** @param running just started */
  constructor(running: RunningEmulator, limits: SessionLimits, events: SessionEvents) {
    this.#running = running;
    this.#limits = limits;
    this.#events = events;
  }

  /**
   * Follows the lab to its end, and sees to it that it ends.
   *
   * @throws the signal's reason when it is aborted, and what a listener threw; the lab has ended
   * then too.
   */
  async run(signal: AbortSignal): Promise<SessionEnd> {
    const kill = () => this.#running.kill();
    signal.addEventListener("abort", kill);
    if (signal.aborted) kill();
    const timer = setInterval(() => this.#checkLimits(), TICK);
    try {
      const readers = [this.#readChannel(), this.#readConsole()]
        .map((reader) => reader.catch((error) => this.#fail(error)));
      const how = await this.#running.ended;
      await Promise.all(readers);
      signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure.error;
      return this.#end(how);
    } finally {
      clearInterval(timer);
      signal.removeEventListener("abort", kill);
    }
  }

  /** Whoever listens has failed: the lab is of no use any more. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#running.kill();
  }

  async #readChannel(): Promise<void> {
    const lines = new LineReader((line) => this.#receive(line));
    for await (const chunk of this.#running.channel) {
      this.#lastSign = performance.now();
      lines.push(chunk);
    }
  }

  async #readConsole(): Promise<void> {
    const lines = new LineReader((line) => this.#look(line));
    for await (const chunk of this.#running.console) {
      this.#console.push(chunk);
      lines.push(chunk);
    }
  }

  #receive(line: string): void {
    const message = parseMessage(line);
    if (message === undefined) return;
    const place = this.#console.end;
    if (this.#complaint === undefined) this.#handle({ message, place });
    else this.#held.push({ message, place });
  }

  #handle({ message, place }: Heard): void {
    // After its end was decided a lab has nothing to say.
    if (this.#verdict !== undefined || this.#failure !== undefined) return;
    switch (message.kind) {
      case "stage":
        this.#loaded = message.stage === "modules";
        return this.#events.stage(message.stage);
      case "ready":
        this.#ready = true;
        return;
      case "begin": {
        const limit = this.#limits.case(this.#events.begin(message.number));
        this.#case = { number: message.number, since: performance.now(), limit, place };
        return;
      }
      case "end":
        this.#case = undefined;
        return this.#events.end(message);
      case "failed":
        return this.#decide("crash", message.reason);
      case "done":
        return this.#decide("done", "all cases were run");
    }
  }

  #look(line: string): void {
    const panic = /Kernel panic/.test(line);
    this.#panic ||= panic;
    // What it complains of while it boots, it may do without.
    if (!this.#loaded && !panic) return;
    if (this.#complaint !== undefined || !complaint.test(line)) return;
    this.#complaint = { line: withoutTime(line), since: performance.now() };
  }

  #checkLimits(): void {
    const now = performance.now();
    const { boot, heartbeat, lastWords } = this.#limits;
    const over = (since: number, limit: number) => now - since > limit;
    const complained = this.#complaint;
    if (complained !== undefined && over(complained.since, lastWords)) {
      this.#decide("crash", `the kernel says: ${complained.line}`);
    } else if (!this.#ready && over(this.#started, boot)) {
      this.#decide("crash", `it did not come to its first case within ${seconds(boot)}`);
    } else if (this.#ready && over(this.#lastSign, heartbeat)) {
      this.#decide("crash", `its heartbeat was lost for ${seconds(heartbeat)}`);
    } else if (this.#case !== undefined && over(this.#case.since, this.#case.limit)) {
      const limit = seconds(this.#case.limit);
      this.#decide("timeout", `the case did not end within ${limit}, though the lab is alive`);
    }
  }

  #decide(kind: SessionEnd["kind"], reason: string): void {
    this.#verdict ??= { kind, reason };
    this.#running.kill();
  }

  #end(how: string): SessionEnd {
    if (this.#complaint !== undefined) this.#handleHeld();
    const { kind, reason } = this.#verdict ?? { kind: "crash", reason: this.#whyEnded(how) };
    const ran = kind === "done" ? undefined : this.#case;
    return {
      kind,
      reason,
      ready: this.#ready,
      running: ran && { number: ran.number, milliseconds: performance.now() - ran.since },
      log: this.#console.since(this.#case?.place ?? 0),
    };
  }

  /**
   * Decides what becomes of what was said after a complaint. A kernel that died has said it before,
   * and the console was faster. One that went on was not fit to judge any more.
   */
  #handleHeld(): void {
    const died = this.#panic || this.#verdict === undefined;
    const begin = this.#held.findIndex(({ message }) => message.kind === "begin");
    const heard = this.#case === undefined ? this.#held.slice(0, begin + 1) : [];
    this.#verdict = undefined;
    for (const each of died ? this.#held : heard) this.#handle(each);
  }

  #whyEnded(how: string): string {
    if (this.#complaint === undefined) return `the emulator is gone: ${how}`;
    return `the kernel says: ${this.#complaint.line}`;
  }
}

function seconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toPrecision(3))} s`;
}

/** A line of the kernel's log without its time. */
function withoutTime(line: string): string {
  return line.replace(/^\[[ \d.]+\] */, "").trim();
}
