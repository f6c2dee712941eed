import { assert, assertEquals } from "@std/assert";
import { diff, explain } from "../src/trace/diff.ts";
import { parse, parseRecorded } from "../src/trace/parse.ts";
import { compare } from "../src/trace/script.ts";

/** The rendered difference, `!` behind the line where the traces first diverge. */
function render(expected: string, actual: string): string[] {
  const promised = parse(expected);
  const found = parseRecorded(actual);
  const comparison = compare(promised, found);
  assert(!comparison.ok);
  return diff(promised, found, comparison.divergence)
    .map(({ mark, text, first }) => `${mark} ${text}${first ? " !" : ""}`);
}

Deno.test("a replaced line is shown on both sides, between what is common", () => {
  assertEquals(render("nmi\nioapic-eoi 0x1\nhlt", "nmi\nioapic-eoi 0x2\nhlt"), [
    "  nmi",
    "- ioapic-eoi 0x1 !",
    "+ ioapic-eoi 0x2",
    "  hlt",
  ]);
});

Deno.test("a missing and an extra line do not disturb what follows", () => {
  assertEquals(render("nmi\nintr\nhlt", "nmi\nhlt"), ["  nmi", "- intr !", "  hlt"]);
  assertEquals(render("nmi\nhlt", "nmi\nintr\nhlt"), ["  nmi", "+ intr !", "  hlt"]);
  assertEquals(render("hlt\nnmi\nintr", "nmi\nintr\nhlt"), [
    "- hlt !",
    "  nmi",
    "  intr",
    "+ hlt",
  ]);
  assertEquals(render("nmi", ""), ["- nmi !"]);
  assertEquals(render("", "nmi"), ["+ nmi !"]);
});

Deno.test("a matched split and a matched pattern are common, as they were recorded", () => {
  const list = "pio out 0x10 u8 [0x1 0x2 0x3]";
  const split = ["pio out 0x10 u8 [0x1 0x2]", "pio out 0x10 u8 0x3"];
  const common = split.map((line) => `  ${line}`);
  assertEquals(render(`${list}\nhlt`, `${split.join("\n")}\nnmi`), [
    ...common,
    "- hlt !",
    "+ nmi",
  ]);
  assertEquals(render(`hlt\n${list}\nhlt | intr`, `${split.join("\n")}\nintr`), [
    "- hlt !",
    ...common,
    "  intr",
  ]);
});

Deno.test("a list that was only begun is shown with what came of it", () => {
  assertEquals(
    render("pio out 0x10 u8 [0x1 0x2]\nhlt", "pio out 0x10 u8 0x1\npio out 0x10 u8 0x9\nhlt"),
    [
      "- pio out 0x10 u8 [0x1 0x2] !",
      "+ pio out 0x10 u8 0x1",
      "+ pio out 0x10 u8 0x9",
      "  hlt",
    ],
  );
});

Deno.test("streams follow one another, and only the diverging one is marked", () => {
  assertEquals(
    render("1: nmi\n0: hlt\n> kick\n1: hlt", "0: nmi\n1: intr\n> kick\n1: hlt"),
    ["  > kick", "- 0: hlt !", "+ 0: nmi", "- 1: nmi", "+ 1: intr", "  1: hlt"],
  );
  assertEquals(
    render("0: nmi\n1: hlt", "0: nmi\n1: intr"),
    ["  0: nmi", "- 1: hlt !", "+ 1: intr"],
  );
});

Deno.test("an event that is missing is marked in the stream of its vCPU", () => {
  assertEquals(render("0: nmi\n1: hlt", "0: nmi"), ["  0: nmi", "- 1: hlt !"]);
  assertEquals(render("0: nmi", "0: nmi\n1: hlt"), ["  0: nmi", "+ 1: hlt !"]);
});

Deno.test("the final state is paired by name", () => {
  assertEquals(
    render("hlt\n= rax 0x1\n= rbx 0x2\n= rcx 0x3", "hlt\n= rdx 0x4\n= rbx 0x5\n= rax 0x1"),
    ["  hlt", "  = rax 0x1", "- = rbx 0x2 !", "+ = rbx 0x5", "- = rcx 0x3", "+ = rdx 0x4"],
  );
});

Deno.test("a divergence among the events leaves the state unmarked", () => {
  assertEquals(render("hlt\n= rax 0x1", "nmi\n= rax 0x2"), [
    "- hlt !",
    "+ nmi",
    "- = rax 0x1",
    "+ = rax 0x2",
  ]);
});

Deno.test("a runaway trace is shown without alignment, and soon", () => {
  const flood = (port: string) => Array(3000).fill(`pio out ${port} u8 0x1`).join("\n");
  const lines = render(flood("0x10"), `${flood("0x10")}\n${flood("0x11")}`);
  assertEquals(lines.filter((line) => line.startsWith("  ")).length, 3000);
  assertEquals(lines[3000], "+ pio out 0x11 u8 0x1 !");
  const unaligned = render(flood("0x12"), flood("0x13"));
  assertEquals(unaligned.length, 6000);
  assertEquals([unaligned[0][0], unaligned[5999][0]], ["-", "+"]);
});

Deno.test("a divergence is explained in a sentence", () => {
  const sentence = (expected: string, actual: string) => {
    const comparison = compare(parse(expected), parseRecorded(actual));
    assert(!comparison.ok);
    return explain(comparison.divergence);
  };
  assertEquals(sentence("hlt", "nmi"), "expected `hlt`, got `nmi`");
  assertEquals(sentence("hlt", ""), "expected `hlt`, but the trace ended");
  assertEquals(sentence("", "hlt"), "got `hlt` where the expected trace has ended");
  assertEquals(sentence("", "= rbx 0x1"), "`= rbx 0x1` changed, but the trace does not say so");
  assertEquals(sentence("= rbx 0x1", ""), "expected `= rbx 0x1`, but the trace ended");
});
