import { HostError } from "../kvm/host_error.ts";
import { formatFailure } from "./failure.ts";
import { plainStyle } from "./style.ts";
import { type Baseline, isFailure, standing } from "../suite/baseline.ts";
import type { Case } from "../suite/case.ts";
import { CaseFailure } from "../suite/drive.ts";
import { LocalHost } from "../suite/local_host.ts";

/** How cases become tests. */
export interface TestCasesOptions {
  /** Failures that are known of this host: such a test passes when the case fails as listed. */
  readonly baseline?: (host: LocalHost) => Baseline;
}

let opened: LocalHost | string | undefined;

/** The host of this process's tests, or why there is none, which is printed once. */
function openOnce(): LocalHost | string {
  if (opened !== undefined) return opened;
  try {
    opened = LocalHost.open();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    opened = error.message;
    console.warn(`Cases are ignored: ${opened}`);
  }
  return opened;
}

/**
 * Registers each case as a `Deno.test` of its id: it passes when the recorded trace is what the
 * specification promises, and fails with the difference, the guest's source line and the
 * disassembly.
 *
 * Without a usable KVM, or without something that a case requires, its test is ignored; the reason
 * is printed.
 *
 * @example
 * ```ts ignore
 * import { asm, defineCase, testCases } from "@trapline/trapline";
 *
 * testCases(defineCase({
 *   id: "mine/halt",
 *   spec: "SDM 2A: HLT",
 *   mode: "protected",
 *   guest: asm`hlt`,
 *   trace: "hlt",
 * }));
 * ```
 */
export function testCases(cases: Case | readonly Case[], options: TestCasesOptions = {}): void {
  const host = openOnce();
  const baseline = typeof host === "string" ? undefined : options.baseline?.(host);
  for (const definition of [cases].flat() as Case[]) {
    const { id } = definition;
    const missing = typeof host === "string" ? host : host.missing(definition);
    const name = missing === undefined || typeof host === "string" ? id : `${id} (no ${missing})`;
    Deno.test({
      name,
      ignore: missing !== undefined,
      // The host stays open for all of them.
      sanitizeResources: false,
      fn: () => judge(host as LocalHost, definition, baseline ?? new Map()),
    });
  }
}

async function judge(host: LocalHost, definition: Case, baseline: Baseline): Promise<void> {
  const { id } = definition;
  const result = await host.run(definition);
  const where = standing(baseline, id, result.verdict);
  if (where === "stale") {
    throw new Error(`${id} passes, but the baseline lists it as a failure: remove the entry`);
  }
  if (where === "regression" && isFailure(result.verdict)) {
    const failure = new CaseFailure(formatFailure(result, plainStyle));
    // Where this was thrown tells nobody anything.
    failure.stack = failure.message;
    throw failure;
  }
}
