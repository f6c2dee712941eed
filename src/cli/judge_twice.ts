import type { Baseline } from "../suite/baseline.ts";
import type { Reported } from "../report/report.ts";
import type { Backend, OpenBackend, Progress } from "./backend.ts";
import { judge } from "./judge.ts";
import type { Selection } from "./selection.ts";

/** At most so many regressions of an emulated CPU are doubted: where there are more, all count. */
const DOUBTED = 20;

/** What {@link judgeTwice} judges, and whom it tells. */
export interface DoubtfulRun {
  readonly backend: Backend;
  /** The same backend, ready. */
  readonly open: OpenBackend;
  readonly selection: Selection;
  readonly baseline: Baseline;
  readonly progress: Progress;
  /** Told of a regression that did not come again, in a sentence. */
  readonly tolerate: (message: string) => void;
}

/**
 * Gives each result as {@link judge} does, but runs the regressions of an emulated CPU once more by
 * themselves and gives them last: one that is as expected then was the emulator's.
 */
export async function* judgeTwice(run: DoubtfulRun): AsyncGenerator<Reported> {
  const { open, selection, baseline } = run;
  const doubted: Reported[] = [];
  let isDoubtful = open.emulated ?? false;
  try {
    for await (const reported of judge(open, selection, baseline)) {
      if (!isDoubtful || reported.standing !== "regression") {
        yield reported;
        continue;
      }
      doubted.push(reported);
      isDoubtful = doubted.length < DOUBTED;
      if (!isDoubtful) yield* doubted.splice(0);
    }
  } catch (error) {
    yield* doubted;
    throw error;
  }
  if (doubted.length > 0) yield* runAgain(run, doubted);
}

async function* runAgain(
  { backend, selection, baseline, progress, tolerate }: DoubtfulRun,
  doubted: readonly Reported[],
): AsyncGenerator<Reported> {
  const ids = new Set(doubted.map(({ result }) => result.case.id));
  const chosen = selection.chosen.filter((entry) => ids.has(entry.case.id));
  const second = new Map<string, Reported>();
  let failure: unknown;
  try {
    await using open = await backend.open(chosen, progress);
    for await (const reported of judge(open, selection, baseline)) {
      second.set(reported.result.case.id, reported);
    }
  } catch (error) {
    failure = error;
  }
  for (const first of doubted) {
    const { verdict, reason = "no reason is given", case: { id } } = first.result;
    const now = second.get(id);
    if (now === undefined || now.standing === "regression") {
      yield first;
      continue;
    }
    yield now;
    tolerate(
      `${id} ended with ${verdict} once (${reason}) and with ${now.result.verdict} when it ran again`,
    );
  }
  if (failure !== undefined) throw failure;
}
