import { assertEquals } from "@std/assert";
import { parse, parseRecorded } from "../src/trace/parse.ts";
import { compare } from "../src/trace/script.ts";
import { short } from "./divergence.ts";

/** How a recorded text compares with an expected one: nothing, or the divergence in short. */
function judge(expected: string, actual: string): string | undefined {
  const comparison = compare(parse(expected), parseRecorded(actual));
  return comparison.ok ? undefined : short(comparison.divergence);
}

const matching: readonly [string, string, string][] = [
  ["the same events", "pio out 0x10 u8 0x41\nhlt", "pio out 0x10 u8 0x41\nhlt"],
  ["no events", "", ""],
  ["a string in one exit", "pio out 0x10 u8 [0x1 0x2 0x3]", "pio out 0x10 u8 [0x1 0x2 0x3]"],
  [
    "a string in three exits",
    "pio out 0x10 u8 [0x1 0x2 0x3]\nhlt",
    "pio out 0x10 u8 0x1\npio out 0x10 u8 0x2\npio out 0x10 u8 0x3\nhlt",
  ],
  [
    "a string in two exits",
    "pio in 0x10 u16 -> [0x1 0x2 0x3]",
    "pio in 0x10 u16 -> [0x1 0x2]\npio in 0x10 u16 -> 0x3",
  ],
  ["a list of one and a value", "pio out 0x10 u8 [0x1]", "pio out 0x10 u8 0x1"],
  ["a value and a list of one", "pio out 0x10 u8 0x1", "pio out 0x10 u8 [0x1]"],
  [
    "an access in fragments of other sizes",
    "mmio write 0xffe u8 [0x11 0x22 0x33 0x44]",
    "mmio write 0xffe u16 0x2211\nmmio write 0x1000 u8 0x33\nmmio write 0x1001 u8 0x44",
  ],
  [
    "elements cut in the middle",
    "mmio write 0x10 u32 [0x44332211 0x88776655]",
    "mmio write 0x10 u24 0x332211\nmmio write 0x13 u40 0x8877665544",
  ],
  ["a list in one access", "mmio write 0x10 u8 [0x1 0x2]", "mmio write 0x10 u16 0x201"],
  ["a wildcard value", "pio out 0x10 u8 *", "pio out 0x10 u8 0x99"],
  ["a wildcard port", "pio out * u8 0x1", "pio out 0x99 u8 0x1"],
  [
    "a wildcard element, bytewise",
    "mmio write 0x10 u16 [* 0x4433]",
    "mmio write 0x10 u8 0x77\nmmio write 0x11 u16 0x3388\nmmio write 0x13 u8 0x44",
  ],
  ["the second choice", "pio out 0x10 u8 0x1|0x2", "pio out 0x10 u8 0x2"],
  [
    "a choice cut in the middle",
    "mmio write 0x10 u16 [0x1122|0x3344]",
    "mmio write 0x10 u8 0x44\nmmio write 0x11 u8 0x33",
  ],
  ["the second line alternative", "hlt | shutdown", "shutdown"],
  [
    "an alternative that is a list",
    "hlt | pio out 0x10 u8 [0x1 0x2]\nhlt",
    "pio out 0x10 u8 0x1\npio out 0x10 u8 0x2\nhlt",
  ],
  [
    "an open dr7",
    "debug exception=0x1 rip=* dr6=0x0",
    "debug exception=0x1 rip=0x7 dr6=0x0 dr7=0x400",
  ],
  ["an open MSR reason", "wrmsr 0x10 0x1", "wrmsr 0x10 0x1 reason=filter"],
  [
    "a choice of reasons",
    "rdmsr 0x10 reason=inval|unknown -> *",
    "rdmsr 0x10 reason=unknown -> error",
  ],
  ["open arguments of a hypercall", "hypercall 0xc", "hypercall 0xc [0x1 0x2] -> 0x0"],
  [
    "open mode and privilege of a Xen hypercall",
    "xen-hypercall 0x28 [0x1 *]",
    "xen-hypercall 0x28 [0x1 0x2] long=0x1 cpl=0x3 -> 0x0",
  ],
  ["an open error code", "exception 0xe", "exception 0xe error=0x2"],
  ["an action", "> slot 0x1 gpa=* -> EEXIST|EINVAL", "> slot 0x1 gpa=0x10 -> EINVAL"],
  ["an action's wildcard for a list", "> log -> *", "> log -> [0x1 0x2]"],
  ["an action's wildcard for an operand with a key", "> slot *", "> slot gpa=0x1"],
  ["an action's list", "> log pages=[0x1 *] -> []", "> log pages=[0x1 0x2] -> []"],
  ["state in another order", "hlt\n= rax 0x1\n= rbx *", "hlt\n= rbx 0x2\n= rax 0x1"],
  ["memory with a wildcard", "= mem 0x8 u8 [0x1 *]", "= mem 0x8 u8 [0x1 0x2]"],
  ["vCPUs in any order", "0: hlt\n1: nmi\n1: hlt", "1: nmi\n0: hlt\n1: hlt"],
  [
    "lists of two vCPUs, interleaved",
    "0: pio out 0x10 u8 [0x1 0x2]\n1: pio out 0x10 u8 [0x3 0x4]",
    "0: pio out 0x10 u8 0x1\n1: pio out 0x10 u8 0x3\n1: pio out 0x10 u8 0x4\n0: pio out 0x10 u8 0x2",
  ],
  ["actions beside vCPUs", "> kick 0x1\n1: intr", "1: intr\n> kick 0x1"],
];

for (const [name, expected, actual] of matching) {
  Deno.test(`${name}: the traces match`, () => {
    assertEquals(judge(expected, actual), undefined);
  });
}

const differing: readonly [string, string, string, string][] = [
  [
    "another privilege of a Xen hypercall",
    "xen-hypercall 0x28 cpl=0x0",
    "xen-hypercall 0x28 [0x1] long=0x1 cpl=0x3 -> 0x0",
    "different: 0 xen-hypercall 0x28 cpl=0x0 / " +
    "0 xen-hypercall 0x28 [0x1] long=0x1 cpl=0x3 -> 0x0",
  ],
  [
    "another page of messages",
    "hyperv-synic 0x40000080 control=0x1 siefp=0x0 simp=0x1",
    "hyperv-synic 0x40000080 control=0x1 siefp=0x0 simp=0x2",
    "different: 0 hyperv-synic 0x40000080 control=0x1 siefp=0x0 simp=0x1 / " +
    "0 hyperv-synic 0x40000080 control=0x1 siefp=0x0 simp=0x2",
  ],
  ["another event", "hlt", "shutdown", "different: 0 hlt / 0 shutdown"],
  ["a missing event", "nmi\nhlt", "nmi", "missing: 1 hlt / 1"],
  ["an extra event", "hlt", "hlt\nnmi", "extra: 1 / 1 nmi"],
  ["an event and nothing", "", "hlt", "extra: 0 / 0 hlt"],
  ["events in another order", "nmi\nhlt", "hlt\nnmi", "different: 0 nmi / 0 hlt"],
  [
    "another value",
    "pio out 0x10 u8 0x1",
    "pio out 0x10 u8 0x2",
    "different: 0 pio out 0x10 u8 0x1 / 0 pio out 0x10 u8 0x2",
  ],
  [
    "another port",
    "pio out 0x10 u8 0x1",
    "pio out 0x11 u8 0x1",
    "different: 0 pio out 0x10 u8 0x1 / 0 pio out 0x11 u8 0x1",
  ],
  [
    "another size",
    "pio out 0x10 u8 0x1",
    "pio out 0x10 u16 0x1",
    "different: 0 pio out 0x10 u8 0x1 / 0 pio out 0x10 u16 0x1",
  ],
  [
    "another direction",
    "pio out 0x10 u8 0x1",
    "pio in 0x10 u8 -> 0x1",
    "different: 0 pio out 0x10 u8 0x1 / 0 pio in 0x10 u8 -> 0x1",
  ],
  [
    "a value in fragments",
    "mmio write 0xffe u32 0x44332211",
    "mmio write 0xffe u16 0x2211\nmmio write 0x1000 u16 0x4433",
    "different: 0 mmio write 0xffe u32 0x44332211 / 0 mmio write 0xffe u16 0x2211",
  ],
  [
    "two values in one string",
    "pio out 0x10 u8 0x1\npio out 0x10 u8 0x2",
    "pio out 0x10 u8 [0x1 0x2]",
    "different: 0 pio out 0x10 u8 0x1 / 0 pio out 0x10 u8 [0x1 0x2]",
  ],
  [
    "an exit across two lists",
    "pio out 0x10 u8 [0x1 0x2]\npio out 0x10 u8 [0x3 0x4]",
    "pio out 0x10 u8 [0x1 0x2 0x3]\npio out 0x10 u8 0x4",
    "different: 0 pio out 0x10 u8 [0x1 0x2] / 0 pio out 0x10 u8 [0x1 0x2 0x3]",
  ],
  [
    "an access beyond its list",
    "mmio write 0x10 u8 [0x1 0x2]",
    "mmio write 0x10 u8 0x1\nmmio write 0x11 u16 0x2",
    "different: 0 mmio write 0x10 u8 [0x1 0x2] / 1 mmio write 0x11 u16 0x2",
  ],
  [
    "fragments in descending order",
    "mmio write 0x10 u8 [0x1 0x2]",
    "mmio write 0x11 u8 0x2\nmmio write 0x10 u8 0x1",
    "different: 0 mmio write 0x10 u8 [0x1 0x2] / 0 mmio write 0x11 u8 0x2",
  ],
  [
    "a gap between fragments",
    "mmio write 0x10 u8 [0x1 0x2]",
    "mmio write 0x10 u8 0x1\nmmio write 0x12 u8 0x2",
    "different: 0 mmio write 0x10 u8 [0x1 0x2] / 1 mmio write 0x12 u8 0x2",
  ],
  [
    "a string at two ports, under a wildcard",
    "pio out * u8 [0x1 0x2]",
    "pio out 0x10 u8 0x1\npio out 0x11 u8 0x2",
    "different: 0 pio out * u8 [0x1 0x2] / 1 pio out 0x11 u8 0x2",
  ],
  [
    "a string split into other sizes",
    "pio out 0x10 u8 [0x1 0x2]",
    "pio out 0x10 u16 0x201",
    "different: 0 pio out 0x10 u8 [0x1 0x2] / 0 pio out 0x10 u16 0x201",
  ],
  [
    "an event in the middle of a list",
    "pio out 0x10 u8 [0x1 0x2]\nhlt",
    "pio out 0x10 u8 0x1\nhlt",
    "different: 0 pio out 0x10 u8 [0x1 0x2] / 1 hlt",
  ],
  [
    "half a list",
    "pio out 0x10 u8 [0x1 0x2]",
    "pio out 0x10 u8 0x1",
    "missing: 0 pio out 0x10 u8 [0x1 0x2] / 1",
  ],
  [
    "halves of two choices",
    "mmio write 0x10 u16 [0x1122|0x3344]",
    "mmio write 0x10 u8 0x44\nmmio write 0x11 u8 0x11",
    "different: 0 mmio write 0x10 u16 [0x1122|0x3344] / 1 mmio write 0x11 u8 0x11",
  ],
  [
    "another alternative once a list has begun",
    "pio out 0x10 u8 [0x1 0x2] | pio out 0x10 u8 0x3\nhlt",
    "pio out 0x10 u8 0x1\npio out 0x10 u8 0x3\nhlt",
    "different: 0 pio out 0x10 u8 [0x1 0x2] | pio out 0x10 u8 0x3 / 1 pio out 0x10 u8 0x3",
  ],
  [
    "another direction in the middle of a list",
    "pio out 0x10 u8 [0x1 0x2]",
    "pio out 0x10 u8 0x1\npio in 0x10 u8 -> 0x2",
    "different: 0 pio out 0x10 u8 [0x1 0x2] / 1 pio in 0x10 u8 -> 0x2",
  ],
  [
    "half an element, at once",
    "mmio write 0x10 u16 [0x1122 0x3344]\nhlt",
    "mmio write 0x10 u24 0x991122\nmmio write 0x13 u8 0x33\nhlt",
    "different: 0 mmio write 0x10 u16 [0x1122 0x3344] / 0 mmio write 0x10 u24 0x991122",
  ],
  [
    "neither choice",
    "ioapic-eoi 0x1|0x2",
    "ioapic-eoi 0x3",
    "different: 0 ioapic-eoi 0x1|0x2 / 0 ioapic-eoi 0x3",
  ],
  ["a word for a list", "> log [a b]", "> log ab", "different: 0 > log [a b] / 0 > log ab"],
  ["neither alternative", "hlt | shutdown", "nmi", "different: 0 hlt | shutdown / 0 nmi"],
  [
    "two values for one wildcard",
    "pio out 0x10 u8 *",
    "pio out 0x10 u8 [0x1 0x2]",
    "different: 0 pio out 0x10 u8 * / 0 pio out 0x10 u8 [0x1 0x2]",
  ],
  [
    "an unexpected #GP",
    "wrmsr 0x10 0x1",
    "wrmsr 0x10 0x1 -> error",
    "different: 0 wrmsr 0x10 0x1 / 0 wrmsr 0x10 0x1 -> error",
  ],
  [
    "a missing #GP",
    "wrmsr 0x10 0x1 -> error",
    "wrmsr 0x10 0x1",
    "different: 0 wrmsr 0x10 0x1 -> error / 0 wrmsr 0x10 0x1",
  ],
  [
    "a missing reason",
    "wrmsr 0x1 0x1 reason=*",
    "wrmsr 0x1 0x1",
    "different: 0 wrmsr 0x1 0x1 reason=* / 0 wrmsr 0x1 0x1",
  ],
  [
    "another errno",
    "> slot -> EEXIST",
    "> slot -> EINVAL",
    "different: 0 > slot -> EEXIST / 0 > slot -> EINVAL",
  ],
  ["an unexpected errno", "> slot", "> slot -> EINVAL", "different: 0 > slot / 0 > slot -> EINVAL"],
  ["a missing errno", "> slot -> *", "> slot", "different: 0 > slot -> * / 0 > slot"],
  ["another action", "> slot", "> kick", "different: 0 > slot / 0 > kick"],
  [
    "another key",
    "> slot gpa=0x1",
    "> slot hva=0x1",
    "different: 0 > slot gpa=0x1 / 0 > slot hva=0x1",
  ],
  ["a missing key", "> slot gpa=0x1", "> slot 0x1", "different: 0 > slot gpa=0x1 / 0 > slot 0x1"],
  [
    "an unexpected key",
    "> slot 0x1|0x2",
    "> slot gpa=0x1",
    "different: 0 > slot 0x1|0x2 / 0 > slot gpa=0x1",
  ],
  [
    "one operand more",
    "> slot 0x1",
    "> slot 0x1 0x2",
    "different: 0 > slot 0x1 / 0 > slot 0x1 0x2",
  ],
  [
    "one operand less",
    "> slot 0x1 0x2",
    "> slot 0x1",
    "different: 0 > slot 0x1 0x2 / 0 > slot 0x1",
  ],
  [
    "a shorter list",
    "> log [0x1]",
    "> log [0x1 0x2]",
    "different: 0 > log [0x1] / 0 > log [0x1 0x2]",
  ],
  ["another state", "hlt\n= rax 0x1", "hlt\n= rax 0x2", "different: 1 = rax 0x1 / 1 = rax 0x2"],
  ["a missing state", "hlt\n= rax 0x1", "hlt", "missing: 1 = rax 0x1 / 1"],
  [
    "an undeclared state",
    "hlt\n= rax 0x1",
    "hlt\n= rax 0x1\n= rbx 0x2",
    "undeclared: 2 / 2 = rbx 0x2",
  ],
  [
    "memory of another size",
    "= mem 0x8 u8 0x1",
    "= mem 0x8 u16 0x1",
    "different: 0 = mem 0x8 u8 0x1 / 0 = mem 0x8 u16 0x1",
  ],
  [
    "other memory",
    "= mem 0x8 u8 [0x1 0x2]",
    "= mem 0x8 u8 [0x1 0x3]",
    "different: 0 = mem 0x8 u8 [0x1 0x2] / 0 = mem 0x8 u8 [0x1 0x3]",
  ],
  ["memory elsewhere", "= mem 0x8 u8 0x1", "= mem 0x9 u8 0x1", "missing: 0 = mem 0x8 u8 0x1 / 1"],
  ["the state of another vCPU", "0: = rax 0x1", "1: = rax 0x1", "missing: 0 0: = rax 0x1 / 1"],
  ["an event and a state that differ", "hlt\n= rax 0x1", "= rax 0x2", "missing: 0 hlt / 0"],
  ["another vCPU", "0: hlt", "1: hlt", "extra: 1 / 0 1: hlt"],
  [
    "a vCPU's order",
    "1: nmi\n1: hlt\n0: hlt",
    "0: hlt\n1: hlt\n1: nmi",
    "different: 0 1: nmi / 1 1: hlt",
  ],
  ["the first of two missing events", "1: nmi\n0: hlt", "", "missing: 0 1: nmi / 0"],
];

for (const [name, expected, actual, divergence] of differing) {
  Deno.test(`${name}: the traces differ`, () => {
    assertEquals(judge(expected, actual), divergence);
  });
}
