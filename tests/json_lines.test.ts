import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { formatFailure } from "../src/report/failure.ts";
import { caseRecord, formatRecord, parseRecord, resultOf } from "../src/report/json_lines.ts";
import { plainStyle } from "../src/report/style.ts";
import { type CaseDefinition, defineCase } from "../src/suite/case.ts";
import type { CaseResult, Verdict } from "../src/suite/verdict.ts";
import { parse, parseRecorded } from "../src/trace/parse.ts";
import { asm } from "../src/x86/asm/assembly.ts";
import { kvmTest } from "./host.ts";
import { halt, run } from "./judged.ts";

function result(verdict: Verdict, changes: Partial<CaseResult> = {}): CaseResult {
  return {
    case: defineCase({ ...halt, spec: ["SDM 2B: OUT", "KVM API 5"] }),
    verdict,
    expected: parse("hlt"),
    trace: parseRecorded("hlt"),
    milliseconds: 1.23456,
    ...changes,
  };
}

Deno.test("a record is plain JSON with both traces in their canonical text", () => {
  const record = caseRecord(result("fail", { reason: "differs" }), "regression");
  assertEquals(JSON.parse(formatRecord(record)), {
    kind: "case",
    id: "test/case",
    verdict: "fail",
    standing: "regression",
    reason: "differs",
    spec: ["SDM 2B: OUT", "KVM API 5"],
    milliseconds: 1.235,
    expected: "hlt",
    actual: "hlt",
  });
  assertEquals("reason" in JSON.parse(formatRecord(caseRecord(result("pass"), "expected"))), false);
});

kvmTest("a failure read back from its record is reported as the one that was run", async () => {
  const changes: Partial<CaseDefinition> = {
    mode: "protected",
    guest: asm`
      mov eax, 0x1234
      out 0x10, al
      hlt`,
    trace: "hlt",
  };
  const failed = await run(changes);
  const record = parseRecord(formatRecord(caseRecord(failed, "regression")));
  if (record.kind !== "case") throw new Error("it is a case");
  const again = resultOf(record, failed.case);
  assertEquals(formatFailure(again, plainStyle), formatFailure(failed, plainStyle));
  assertStringIncludes(formatFailure(again, plainStyle), "rax=0x1234");
});

Deno.test("a line that is no record of a run says what is wrong", () => {
  const wrong = (text: string) => assertThrows(() => parseRecord(text), SyntaxError).message;
  wrong("{");
  assertEquals(wrong("null"), "it is neither a run's header nor a case");
  assertEquals(wrong(`{"kind":"vm"}`), "it is neither a run's header nor a case");
  assertEquals(wrong(`{"kind":"run","kernel":"6.12"}`), "its backend is not a string");
  assertEquals(wrong(`{"kind":"case","id":7}`), "its id is not a string");
});
