/** The suite as Deno tests, a case a test: `deno test --filter pio/out` works on the ids. */
import { loadCatalogue, testCases } from "../mod.ts";
import { hostBaseline } from "../src/cli/baselines.ts";

const entries = await loadCatalogue(new URL("../guests/", import.meta.url));

testCases(entries.map((entry) => entry.case), { baseline: ({ facts }) => hostBaseline(facts) });
