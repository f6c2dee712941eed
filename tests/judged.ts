/** Tests of what a host makes of a case. */
import { assertEquals, assertMatch } from "@std/assert";
import { type CaseDefinition, defineCase } from "../src/suite/case.ts";
import { LocalHost } from "../src/suite/local_host.ts";
import type { CaseResult, Verdict } from "../src/suite/verdict.ts";
import { format } from "../src/trace/format.ts";
import { asm } from "../src/x86/asm/assembly.ts";
import { kvmTest } from "./host.ts";

/** A case that passes everywhere. */
export const halt: CaseDefinition = {
  id: "test/case",
  spec: "none",
  mode: "real",
  guest: asm`hlt`,
  trace: "hlt",
};

/** Runs that case with changes on a host of its own. */
export async function run(changes: Partial<CaseDefinition>): Promise<CaseResult> {
  using host = LocalHost.open();
  return await host.run(defineCase({ ...halt, ...changes }));
}

/** Registers a test of a case's verdict and of the reason it gives. */
export function judged(
  name: string,
  changes: Partial<CaseDefinition>,
  verdict: Verdict,
  reason?: string | RegExp,
): void {
  kvmTest(name, async () => {
    const result = await run(changes);
    const { reason: given = "" } = result;
    assertEquals(result.verdict, verdict, given || format(result.trace));
    if (reason instanceof RegExp) assertMatch(given, reason);
    else assertEquals(given, reason ?? "");
  });
}
