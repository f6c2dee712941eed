import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { decodeNumbers, encodeNumbers } from "../ci/lab/case_list.ts";
import {
  type EndMessage,
  endMessage,
  formatMessage,
  type Message,
  parseMessage,
  resultOfMessage,
} from "../ci/lab/channel.ts";
import { divide } from "../ci/lab/divide.ts";
import { LineReader } from "../ci/lab/lines.ts";
import { caseRecord } from "../src/report/json_lines.ts";
import { defineCase } from "../src/suite/case.ts";
import type { CaseResult } from "../src/suite/verdict.ts";
import { parse, parseRecorded } from "../src/trace/parse.ts";
import { TraceError } from "../src/trace/tokens.ts";
import { machineState } from "../src/x86/modes.ts";
import { asm } from "../src/x86/asm/assembly.ts";

const definition = defineCase({
  id: "pio/out",
  spec: ["SDM 2B: OUT"],
  mode: "real",
  guest: asm`out 0x10, al
    hlt`,
  trace: `
    pio out 0x10 u8 * 
    hlt
  `,
});

const { sregs } = machineState("real");
const regs = {
  ...Object.fromEntries(
    ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp"].map((name, n) => [name, BigInt(n)]),
  ),
  rip: 0x8002n,
  rflags: 0xffff_ffff_ffff_ffffn,
} as unknown as NonNullable<CaseResult["autopsy"]>["regs"];

function result(changes: Partial<CaseResult> = {}): CaseResult {
  return {
    case: definition,
    verdict: "pass",
    expected: parse("pio out 0x10 u8 *\nhlt"),
    trace: parseRecorded("pio out 0x10 u8 0x0\nhlt"),
    milliseconds: 25.94,
    ...changes,
  };
}

const messages: [line: string, message: Message][] = [
  ["stage init", { kind: "stage", stage: "init" }],
  ["failed no /dev/kvm", { kind: "failed", reason: "no /dev/kvm" }],
  ["ready", { kind: "ready" }],
  ["begin 1440", { kind: "begin", number: 1440 }],
  ["end 3 pass 25.9", { kind: "end", number: 3, verdict: "pass", milliseconds: 25.9 }],
  [
    'end 3 skip 0.1 {"reason":"KVM_CAP_XEN"}',
    { kind: "end", number: 3, verdict: "skip", milliseconds: 0.1, reason: "KVM_CAP_XEN" },
  ],
  ["heartbeat", { kind: "heartbeat" }],
  ["done", { kind: "done" }],
];

for (const [line, message] of messages) {
  Deno.test(`the channel says \`${line}\``, () => {
    assertEquals(formatMessage(message), `${line}\n`);
    assertEquals(parseMessage(line), message);
  });
}

const damaged = [
  "",
  "begin",
  "begin x",
  "begin 1 2",
  "stage run",
  "failed",
  "done 1",
  "heartbeatbegin 4",
  "end 3",
  "end 3 pass",
  "end 3 good 1.0",
  "end 3 pass 1.0 {",
  'end 3 fail 1.0 {"reason":"a',
  "end -1 pass 1.0",
  "[    5.9] Kernel panic",
  "\0\0",
];

Deno.test("a damaged line is no message", () => {
  for (const line of damaged) assertEquals(parseMessage(line), undefined, line);
});

const results: [what: string, result: CaseResult][] = [
  ["a pass", result()],
  ["a pass with the very trace", result({ expected: parse("pio out 0x10 u8 0x0\nhlt") })],
  ["a skip", result({ verdict: "skip", reason: "CPUID LM", expected: [], trace: [] })],
  [
    "an error before the start",
    result({ verdict: "error", reason: "x\ny", expected: [], trace: [] }),
  ],
  [
    "a failure with its autopsy",
    result({
      verdict: "fail",
      reason: "expected `hlt`, got `shutdown`",
      trace: parseRecorded("pio out 0x10 u8 0x0\nshutdown"),
      autopsy: {
        assembled: definition.guest.assemble({ bits: 16, origin: 0x8000 }),
        bits: 16,
        regs,
        sregs: sregs as NonNullable<CaseResult["autopsy"]>["sregs"],
      },
    }),
  ],
];

for (const [what, sent] of results) {
  Deno.test(`${what} crosses the channel as it is`, () => {
    const line = formatMessage(endMessage(7, sent));
    const message = parseMessage(line.trimEnd()) as EndMessage;
    assertEquals(message.number, 7);
    const promised = sent.expected.length > 0 ? { ...definition, trace: textOf(sent) } : definition;
    const received = resultOfMessage(message, promised);
    const record = (result: CaseResult) => ({ ...caseRecord(result, "expected"), milliseconds: 0 });
    assertEquals(record(received), record(sent));
    assertEquals(received.milliseconds, 25.9);
    assertEquals(received.divergence === undefined, sent.verdict !== "fail");
    assertEquals(received.autopsy?.assembled.lines.length, sent.autopsy?.assembled.lines.length);
  });
}

function textOf({ expected }: CaseResult): string {
  return caseRecord(result({ expected }), "expected").expected;
}

Deno.test("a pass says nothing that the host knows", () => {
  assertEquals(formatMessage(endMessage(7, results[1][1])), "end 7 pass 25.9\n");
});

Deno.test("a trace that is none is refused", () => {
  const message: EndMessage = {
    kind: "end",
    number: 1,
    verdict: "fail",
    milliseconds: 1,
    actual: "pio oot",
  };
  assertThrows(() => resultOfMessage(message, definition), TraceError);
});

Deno.test("lines come whole, however their bytes come", () => {
  const bytes = new TextEncoder().encode("begin 1\r\nfailed \u00fc\nend");
  for (let size = 1; size <= bytes.length; size++) {
    const lines: string[] = [];
    const reader = new LineReader((line) => lines.push(line));
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.slice(at, at + size));
    assertEquals(lines, ["begin 1", "failed \u00fc"]);
  }
});

const numberSets = fc.uniqueArray(fc.nat({ max: 3000 })).map((numbers) =>
  numbers.sort((a, b) => a - b)
);

Deno.test("a choice of cases is a word, and comes back", () => {
  assertEquals(encodeNumbers([]), "");
  assertEquals(encodeNumbers([1000, 1001, 1002, 1007]), "1000-1002,1007");
  assertEquals(encodeNumbers([0, 1, 2, 7]), ":hw");
  assertEquals(encodeNumbers(Array.from({ length: 1441 }, (_, n) => n)), "0-1440");
  fc.assert(fc.property(numberSets, (numbers) => {
    const text = encodeNumbers(numbers);
    assert(/^[\w:,-]*$/.test(text), text);
    assert(text.length <= 3001 / 6 + 3, text);
    assertEquals(decodeNumbers(text), numbers);
  }));
});

Deno.test("parts hold every number once, and take about as long as each other", () => {
  fc.assert(fc.property(numberSets, fc.integer({ min: 1, max: 5 }), (numbers, parts) => {
    const weight = (number: number) => number % 5 === 0 ? undefined : number % 97 + 1;
    const shares = divide(numbers, parts, weight);
    assertEquals(shares.flat().sort((a, b) => a - b), numbers);
    assert(shares.length <= parts && shares.every((share) => share.length > 0));
    for (const share of shares) assertEquals(share, share.toSorted((a, b) => a - b));
    const known = numbers.map(weight).filter((time) => time !== undefined);
    const mean = known.length === 0 ? 1 : known.reduce((a, b) => a + b, 0) / known.length;
    const times = shares.map((share) =>
      share.reduce((sum, number) => sum + (weight(number) ?? mean), 0)
    );
    const longest = Math.max(0, ...numbers.map((number) => weight(number) ?? mean));
    if (shares.length === parts) assert(Math.max(...times) - Math.min(...times) <= longest + 1e-6);
  }));
  assertEquals(divide([0, 1, 2], 2, (number) => [10, 6, 5][number]), [[0], [1, 2]]);
});
