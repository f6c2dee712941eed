import { type Baseline, standing } from "../suite/baseline.ts";
import type { Reported } from "../report/report.ts";
import type { OpenBackend } from "./backend.ts";
import { shortPath } from "./file_url.ts";
import type { Selection } from "./selection.ts";

/** Gives each result of a backend with what the baseline says of it, as soon as it is known. */
export async function* judge(
  backend: OpenBackend,
  { suite }: Selection,
  baseline: Baseline,
): AsyncGenerator<Reported> {
  for await (const result of backend.results()) {
    const { id } = result.case;
    const entry = suite.get(id);
    yield {
      result,
      standing: standing(baseline, id, result.verdict),
      known: baseline.get(id),
      file: entry && shortPath(entry.file),
    };
  }
}
