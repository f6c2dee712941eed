/** Runs cases in a lab, and boots it again whenever a case has brought it down. */
import type { CatalogueEntry } from "../../src/suite/catalogue.ts";
import { prepareGuest } from "../../src/suite/guest.ts";
import type { CaseResult } from "../../src/suite/verdict.ts";
import type { ExpectedTrace } from "../../src/trace/event.ts";
import { TraceError } from "../../src/trace/tokens.ts";
import { type EndMessage, resultOfMessage, type Stage } from "./channel.ts";
import type { Emulator, Machine } from "./emulator.ts";
import { LabError, systemReason } from "./error.ts";
import { Session, type SessionEnd, type SessionLimits } from "./session.ts";

/** What happens in a lab, as it happens. */
export interface LabEvents {
  /** It is booted, for the first time or `again` after a crash. */
  boot?(again: boolean): void;
  stage?(stage: Stage): void;
  begin?(entry: CatalogueEntry): void;
  /** A case has its verdict. */
  end(entry: CatalogueEntry, result: CaseResult): void;
}

/** What a lab is to do. */
export interface LabWork {
  readonly emulator: Emulator;
  /** The machine to boot, but for its folder and its command line. */
  readonly machine: Omit<Machine, "folder" | "commandLine">;
  /** The kernel's command line for a choice of cases, by their numbers in ascending order. */
  readonly commandLine: (numbers: readonly number[]) => string;
  /** The suite of its image; a case's place is its number there. */
  readonly cases: readonly CatalogueEntry[];
  /** The numbers of the cases to run, in ascending order. */
  readonly numbers: readonly number[];
  readonly limits: SessionLimits;
  /** An empty folder, in which each boot has its own. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** How many boots in a row may bring no verdict but that of a crash. */
const BARREN_BOOTS = 5;

/**
 * Runs the cases of a lab to the last one, whatever becomes of its kernel.
 *
 * @throws {LabError} when the lab does not boot, or does nothing but crash; what was judged before
 * has been told.
 * @throws the signal's reason when it is aborted.
 */
export async function supervise(work: LabWork, events: LabEvents): Promise<void> {
  const left = new Set(work.numbers);
  let barren = 0;
  for (let boot = 0; left.size > 0; boot++) {
    const before = left.size;
    events.boot?.(boot > 0);
    const end = await bootOnce(work, boot, left, events);
    if (end.kind === "done") return reportLost(work, left, events);
    barren = left.size < before ? 0 : barren + 1;
    if (end.running !== undefined) {
      const entry = entryOf(work, end.running.number);
      left.delete(end.running.number);
      events.end(entry, brokenOff(entry, end));
    }
    if (boot === 0 && !end.ready || barren === BARREN_BOOTS) throw new LabError(explain(end));
  }
}

async function bootOnce(
  work: LabWork,
  boot: number,
  left: Set<number>,
  events: LabEvents,
): Promise<SessionEnd> {
  work.signal.throwIfAborted();
  const folder = `${work.folder}/boot${boot}`;
  Deno.mkdirSync(folder);
  const commandLine = work.commandLine([...left]);
  const running = await work.emulator.start({ ...work.machine, commandLine, folder });
  const session = new Session(running, work.limits, {
    stage: (stage) => events.stage?.(stage),
    begin: (number) => {
      const entry = entryOf(work, number);
      events.begin?.(entry);
      return entry.case;
    },
    end: (message) => {
      const entry = entryOf(work, message.number);
      left.delete(message.number);
      events.end(entry, received(entry, message));
    },
  });
  const end = await session.run(work.signal);
  if (end.kind !== "done") checkDisk(folder);
  return end;
}

function entryOf({ cases }: LabWork, number: number): CatalogueEntry {
  if (number < cases.length) return cases[number];
  throw new LabError(`the lab speaks of case ${number}, and its suite has ${cases.length}`);
}

function received({ case: definition }: CatalogueEntry, message: EndMessage): CaseResult {
  try {
    return resultOfMessage(message, definition);
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    const reason = `what the lab recorded cannot be read: ${error.message}`;
    return broken(definition, "error", reason, message.milliseconds);
  }
}

function brokenOff({ case: definition }: CatalogueEntry, end: SessionEnd): CaseResult {
  const { kind, reason, running, log } = end;
  const verdict = kind === "timeout" ? "timeout" : "crash";
  return { ...broken(definition, verdict, reason, running!.milliseconds), log };
}

/** A result with nothing recorded. */
function broken(
  definition: CatalogueEntry["case"],
  verdict: CaseResult["verdict"],
  reason: string,
  milliseconds: number,
): CaseResult {
  return {
    case: definition,
    verdict,
    reason,
    expected: expectedTrace(definition),
    trace: [],
    milliseconds,
  };
}

function expectedTrace(definition: CatalogueEntry["case"]): ExpectedTrace {
  try {
    return prepareGuest(definition).expected;
  } catch {
    return [];
  }
}

/** The lab says that it is through: what it has told no verdict of, it never will. */
function reportLost(work: LabWork, left: ReadonlySet<number>, events: LabEvents): void {
  for (const number of left) {
    const entry = work.cases[number];
    const reason = "its verdict was lost on the way out of the lab";
    events.end(entry, broken(entry.case, "error", reason, 0));
  }
}

/** A disk that is full swallows what the lab says, which looks like the lab's own death. */
function checkDisk(folder: string): void {
  try {
    Deno.writeFileSync(`${folder}/probe`, new Uint8Array(4096));
    Deno.removeSync(`${folder}/probe`);
  } catch (error) {
    throw new LabError(
      `${folder} cannot be written: ${
        systemReason(error)
      }; TMPDIR says where labs have their files`,
    );
  }
}

function explain({ ready, reason, log }: SessionEnd): string {
  const what = ready ? "the lab does nothing but crash" : "the lab does not boot";
  const lines = log.split("\n").slice(-LOG_LINES).map((line) => `    ${line}`.trimEnd());
  return [`${what}: ${reason}`, ...log === "" ? [] : ["its console ended with:", ...lines]]
    .join("\n");
}

/** How many lines of the console explain why a lab did not boot. */
const LOG_LINES = 12;
