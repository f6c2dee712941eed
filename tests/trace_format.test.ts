import { assertEquals, assertThrows } from "@std/assert";
import { ANY, type ExpectedLine, type TraceEvent } from "../src/trace/event.ts";
import { format, formatLine } from "../src/trace/format.ts";
import { parse, parseRecorded } from "../src/trace/parse.ts";

/** Each form of a line, with the event it stands for. */
const recorded: readonly [string, TraceEvent][] = [
  ["pio out 0x3f8 u8 0x41", {
    kind: "pio",
    direction: "out",
    port: 0x3f8n,
    size: 1,
    value: 0x41n,
  }],
  ["pio out 0x3f8 u16 [0x48 0xffff]", {
    kind: "pio",
    direction: "out",
    port: 0x3f8n,
    size: 2,
    value: [0x48n, 0xffffn],
  }],
  ["pio in 0x3fd u8 -> 0x20", {
    kind: "pio",
    direction: "in",
    port: 0x3fdn,
    size: 1,
    value: 0x20n,
  }],
  ["pio in 0x10 u32 -> [0x1 0xffffffff]", {
    kind: "pio",
    direction: "in",
    port: 0x10n,
    size: 4,
    value: [1n, 0xffffffffn],
  }],
  ["mmio write 0xd0000000 u64 0x807060504030201", {
    kind: "mmio",
    direction: "write",
    address: 0xd0000000n,
    size: 8,
    value: 0x0807060504030201n,
  }],
  ["mmio write 0xffffffffffffffff u24 0xffffff", {
    kind: "mmio",
    direction: "write",
    address: 0xffffffffffffffffn,
    size: 3,
    value: 0xffffffn,
  }],
  ["mmio write 0xd0000ffe u8 [0x11 0x22]", {
    kind: "mmio",
    direction: "write",
    address: 0xd0000ffen,
    size: 1,
    value: [0x11n, 0x22n],
  }],
  ["mmio read 0xd0000000 u32 -> 0x11223344", {
    kind: "mmio",
    direction: "read",
    address: 0xd0000000n,
    size: 4,
    value: 0x11223344n,
  }],
  ["hlt", { kind: "hlt" }],
  ["shutdown", { kind: "shutdown" }],
  ["irq-window", { kind: "irq-window" }],
  ["intr", { kind: "intr" }],
  ["nmi", { kind: "nmi" }],
  ["set-tpr", { kind: "set-tpr" }],
  ["dirty-ring-full", { kind: "dirty-ring-full" }],
  ["bus-lock", { kind: "bus-lock" }],
  ["ap-reset-hold", { kind: "ap-reset-hold" }],
  ["timeout", { kind: "timeout" }],
  ["debug exception=0x1 rip=0x7c04 dr6=0xffff4ff0", {
    kind: "debug",
    exception: 1n,
    rip: 0x7c04n,
    dr6: 0xffff4ff0n,
  }],
  ["debug exception=0x3 rip=0x0 dr6=0x0 dr7=0x400", {
    kind: "debug",
    exception: 3n,
    rip: 0n,
    dr6: 0n,
    dr7: 0x400n,
  }],
  ["rdmsr 0x4b564d00 reason=filter -> 0x0", {
    kind: "rdmsr",
    index: 0x4b564d00n,
    reason: "filter",
    answer: 0n,
  }],
  ["rdmsr 0x10 -> error", { kind: "rdmsr", index: 0x10n, answer: "error" }],
  ["wrmsr 0x4b564d00 0x1", { kind: "wrmsr", index: 0x4b564d00n, value: 1n }],
  ["wrmsr 0x10 0xffffffffffffffff reason=inval -> error", {
    kind: "wrmsr",
    index: 0x10n,
    value: 0xffffffffffffffffn,
    reason: "inval",
    answer: "error",
  }],
  ["internal-error emulation", { kind: "internal-error", suberror: "emulation" }],
  ["internal-error unexpected-exit-reason", {
    kind: "internal-error",
    suberror: "unexpected-exit-reason",
  }],
  ["internal-error 0x7", { kind: "internal-error", suberror: 7n }],
  ["fail-entry 0x80000021", { kind: "fail-entry", reason: 0x80000021n }],
  ["system-event reset", { kind: "system-event", type: "reset" }],
  ["system-event 0x9", { kind: "system-event", type: 9n }],
  ["tpr-access", { kind: "tpr-access" }],
  ["tpr-access rip=0x7c00 write=0x1", { kind: "tpr-access", rip: 0x7c00n, write: 1n }],
  ["ioapic-eoi 0x31", { kind: "ioapic-eoi", vector: 0x31n }],
  ["hypercall 0xc", { kind: "hypercall", nr: 0xcn }],
  ["hypercall 0xc [0x1000 0x1 0x10] -> 0x0", {
    kind: "hypercall",
    nr: 0xcn,
    args: [0x1000n, 1n, 0x10n],
    answer: 0n,
  }],
  ["hypercall 0xc [0x1000] flags=0x1 -> 0x0", {
    kind: "hypercall",
    nr: 0xcn,
    args: [0x1000n],
    flags: 1n,
    answer: 0n,
  }],
  ["exception 0xe", { kind: "exception", vector: 0xen }],
  ["exception 0xe error=0x2", { kind: "exception", vector: 0xen, error: 2n }],
  ["xen-hypercall 0x28", { kind: "xen-hypercall", nr: 0x28n }],
  ["xen-hypercall 0x28 [0x1 0x2] long=0x1 cpl=0x3 -> 0xffffffffffffffda", {
    kind: "xen-hypercall",
    nr: 0x28n,
    args: [1n, 2n],
    long: 1n,
    cpl: 3n,
    answer: 0xffffffffffffffdan,
  }],
  ["hyperv-synic 0x40000080 control=0x1 siefp=0xb001 simp=0xc001", {
    kind: "hyperv-synic",
    index: 0x40000080n,
    control: 1n,
    siefp: 0xb001n,
    simp: 0xc001n,
  }],
  ["hyperv-hypercall 0x5c", { kind: "hyperv-hypercall", input: 0x5cn }],
  ["hyperv-hypercall 0x1005c [0xb000 0x0] -> 0x12", {
    kind: "hyperv-hypercall",
    input: 0x1005cn,
    args: [0xb000n, 0n],
    answer: 0x12n,
  }],
  ["hyperv-debug 0x400000f1 control=0x1 send=0xb000 receive=0xc000 pending=0xd000", {
    kind: "hyperv-debug",
    index: 0x400000f1n,
    control: 1n,
    send: 0xb000n,
    receive: 0xc000n,
    pending: 0xd000n,
  }],
  ["hyperv-debug 0x400000f1 control=0x1 send=0x0 receive=0x0 pending=0x0 -> 0x20000", {
    kind: "hyperv-debug",
    index: 0x400000f1n,
    control: 1n,
    send: 0n,
    receive: 0n,
    pending: 0n,
    answer: 0x20000n,
  }],
  ["notify", { kind: "notify" }],
  ["notify flags=0x1", { kind: "notify", flags: 1n }],
  ["memory-fault flags=0x8 gpa=0x1000 size=0x2000", {
    kind: "memory-fault",
    flags: 8n,
    gpa: 0x1000n,
    size: 0x2000n,
  }],
  ["unknown 0x21", { kind: "unknown", reason: 0x21n }],
  ["> nmi", { kind: "action", name: "nmi", operands: [] }],
  ["> slot 0x1 gpa=0x1000 size=0x2000 -> EEXIST", {
    kind: "action",
    name: "slot",
    operands: [1n, { key: "gpa", value: 0x1000n }, { key: "size", value: 0x2000n }],
    answer: "EEXIST",
  }],
  ["> dirty-log 0x0 pages=[0x1 0x2] edge [low] -> []", {
    kind: "action",
    name: "dirty-log",
    operands: [0n, { key: "pages", value: [1n, 2n] }, "edge", ["low"]],
    answer: [],
  }],
  ["> mp-state -> halted", { kind: "action", name: "mp-state", operands: [], answer: "halted" }],
  ["= rax 0x1234", { kind: "state", name: "rax", value: 0x1234n }],
  ["= msr.0xc0000080 0x500", { kind: "state", name: "msr.0xc0000080", value: 0x500n }],
  ["= run.if-flag 0x1", { kind: "state", name: "run.if-flag", value: 1n }],
  ["= xmm0 [0x1 0x2]", { kind: "state", name: "xmm0", value: [1n, 2n] }],
  ["= mem 0x8000 u8 [0x11 0x22]", {
    kind: "memory",
    address: 0x8000n,
    size: 1,
    value: [0x11n, 0x22n],
  }],
  ["= mem 0x8000 u32 0x1", { kind: "memory", address: 0x8000n, size: 4, value: 1n }],
  ["1: hlt", { kind: "hlt", vcpu: 1 }],
  ["0: > kick", { kind: "action", name: "kick", operands: [], vcpu: 0 }],
  ["12: = rax 0x0", { kind: "state", name: "rax", value: 0n, vcpu: 12 }],
];

const patterns: readonly [string, ExpectedLine][] = [
  ["pio out * u8 0x1|0x2", {
    kind: "pio",
    direction: "out",
    port: ANY,
    size: 1,
    value: { oneOf: [1n, 2n] },
  }],
  ["mmio read 0x10 u16 -> [* 0x1|0x2 0x3]", {
    kind: "mmio",
    direction: "read",
    address: 0x10n,
    size: 2,
    value: [ANY, { oneOf: [1n, 2n] }, 3n],
  }],
  ["rdmsr 0x10 reason=filter|unknown -> 0x0|error", {
    kind: "rdmsr",
    index: 0x10n,
    reason: { oneOf: ["filter", "unknown"] },
    answer: { oneOf: [0n, "error"] },
  }],
  ["debug exception=0x1 rip=* dr6=*", { kind: "debug", exception: 1n, rip: ANY, dr6: ANY }],
  ["> slot gpa=* * -> EEXIST|EINVAL", {
    kind: "action",
    name: "slot",
    operands: [{ key: "gpa", value: ANY }, ANY],
    answer: { oneOf: ["EEXIST", "EINVAL"] },
  }],
  ["xen-hypercall * [0x1|0x2 *] cpl=0x0|0x3 -> *", {
    kind: "xen-hypercall",
    nr: ANY,
    args: [{ oneOf: [1n, 2n] }, ANY],
    cpl: { oneOf: [0n, 3n] },
    answer: ANY,
  }],
  ["= rax *", { kind: "state", name: "rax", value: ANY }],
  ["= mem 0x10 u8 [* 0x1]", { kind: "memory", address: 0x10n, size: 1, value: [ANY, 1n] }],
  ["1: hlt | shutdown | > kick", {
    kind: "either",
    alternatives: [{ kind: "hlt" }, { kind: "shutdown" }, {
      kind: "action",
      name: "kick",
      operands: [],
    }],
    vcpu: 1,
  }],
];

for (const [text, line] of [...recorded, ...patterns]) {
  Deno.test(`\`${text}\` is read and written`, () => {
    assertEquals(parse(text), [line]);
    assertEquals(formatLine(line), text);
  });
}

Deno.test("a recorded trace is read without patterns", () => {
  for (const [text, line] of recorded) assertEquals(parseRecorded(text), [line]);
});

Deno.test("blanks, empty lines and comments are dropped", () => {
  const expected = parse(`
    # a comment line
      pio out   0x3f8 u8 [ 0x48 0x69 ]   # a trailing one
\t
    hlt\r
  `);
  assertEquals(format(expected), "pio out 0x3f8 u8 [0x48 0x69]\nhlt");
});

Deno.test("an empty text is an empty trace", () => {
  assertEquals(parse(" \n\n # nothing"), []);
  assertEquals(format([]), "");
});

Deno.test("what the language cannot write is refused, with the value", () => {
  const refused: readonly [ExpectedLine, string][] = [
    [{ kind: "pio", direction: "out", port: 0x10000n, size: 1, value: 0n }, "port 65536"],
    [{ kind: "pio", direction: "out", port: 1n, size: 1, value: 0x100n }, "value 256"],
    [{ kind: "pio", direction: "out", port: 1n, size: 1, value: -1n }, "value -1"],
    [{ kind: "pio", direction: "out", port: 1n, size: 1, value: [] }, "value"],
    [{ kind: "pio", direction: "out", port: 1n, size: 3 as 4, value: 1n }, "size 3"],
    [
      { kind: "rdmsr", index: 1n, answer: "gp" as "error" },
      "answer gp: expected a bigint of 64 bits",
    ],
    [
      { kind: "wrmsr", index: 1n, value: 0n, reason: "bad" as "filter" },
      "reason bad: expected one of its words",
    ],
    [{ kind: "unknown" } as ExpectedLine, "reason undefined"],
    [{ kind: "action", name: "Slot", operands: [] }, "action Slot"],
    [{ kind: "action", name: "slot", operands: ["EINVAL"] }, "slot EINVAL"],
    [{ kind: "action", name: "slot", operands: [{ key: "a", value: "EINVAL" }] }, "slot EINVAL"],
    [{ kind: "action", name: "slot", operands: [], answer: "two words" }, "slot two words"],
    [{ kind: "action", name: "slot", operands: [{ key: "", value: 1n }] }, "slot"],
    [{ kind: "state", name: "mem", value: 1n }, "state mem"],
    [{ kind: "state", name: "RAX", value: 1n }, "state RAX"],
    [{ kind: "state", name: "rax", value: 1n << 64n }, "rax 18446744073709551616"],
    [{ kind: "state", name: "rax", value: { oneOf: [1n] } }, "a choice of 1"],
    [{ kind: "either", alternatives: [{ kind: "hlt" }] }, "a line of alternatives of 1"],
    [{ kind: "hlt", vcpu: -1 }, "vCPU -1"],
    [{ kind: "hypercall", nr: 1n, args: 1n as unknown as bigint[] }, "args 1: expected a list"],
    [{ kind: "fail-entry", reason: [1n] as unknown as bigint }, "reason 1: expected one value"],
  ];
  for (const [line, message] of refused) {
    assertThrows(() => format([line]), RangeError, `a trace cannot hold ${message}`);
  }
});
