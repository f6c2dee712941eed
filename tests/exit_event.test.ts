/** Exits as lines of a trace: each that x86 has in a line of its own. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { exitReasons } from "../ffi/abi/exits.ts";
import type { Exit } from "../src/kvm/exit.ts";
import { accessOf, defaultAnswer, eventOf } from "../src/suite/exit_event.ts";
import { format, formatLine } from "../src/trace/format.ts";
import { GUEST_EVENTS } from "../src/trace/grammar.ts";
import { parse, parseRecorded } from "../src/trace/parse.ts";
import { decodeExit } from "../src/kvm/decode_exit.ts";

const page = (number: number) => BigInt(number) << 12n;
const six = [1n, 2n, 3n, 4n, 5n, 6n];

/** An exit of each type, and its line; where it waits for an answer, the default one is in it. */
const lines: { readonly [R in Exit["reason"]]: readonly [Exit & { reason: R }, string][] } = {
  "pio": [
    [
      { reason: "pio", direction: "out", port: 0x10, size: 1, count: 2, values: [1, 2] },
      "pio out 0x10 u8 [0x1 0x2]",
    ],
    [
      { reason: "pio", direction: "in", port: 0x10, size: 2, count: 1, values: [] },
      "pio in 0x10 u16 -> 0xffff",
    ],
  ],
  "mmio": [
    [
      { reason: "mmio", direction: "write", address: page(1), size: 4, value: 7n },
      "mmio write 0x1000 u32 0x7",
    ],
    [
      { reason: "mmio", direction: "read", address: page(1), size: 1, value: 0n },
      "mmio read 0x1000 u8 -> 0xff",
    ],
  ],
  "hlt": [[{ reason: "hlt" }, "hlt"]],
  "shutdown": [[{ reason: "shutdown" }, "shutdown"]],
  "irq-window": [[{ reason: "irq-window" }, "irq-window"]],
  "intr": [
    [{ reason: "intr", cause: "kick" }, "intr"],
    [{ reason: "intr", cause: "deadline" }, "timeout"],
  ],
  "nmi": [[{ reason: "nmi" }, "nmi"]],
  "debug": [
    [
      { reason: "debug", exception: 1, pc: 2n, dr6: 3n, dr7: 4n },
      "debug exception=0x1 rip=0x2 dr6=0x3 dr7=0x4",
    ],
  ],
  "rdmsr": [
    [
      { reason: "rdmsr", index: 0x10, why: "filter", value: 0n },
      "rdmsr 0x10 reason=filter -> error",
    ],
  ],
  "wrmsr": [
    [
      { reason: "wrmsr", index: 0x10, why: "inval", value: 1n },
      "wrmsr 0x10 0x1 reason=inval -> error",
    ],
  ],
  "internal-error": [
    [{ reason: "internal-error", suberror: 1, data: [] }, "internal-error emulation"],
    [{ reason: "internal-error", suberror: 9, data: [] }, "internal-error 0x9"],
  ],
  "fail-entry": [
    [{ reason: "fail-entry", hardwareReason: 0x80000021n, cpu: 1 }, "fail-entry 0x80000021"],
  ],
  "system-event": [[{ reason: "system-event", type: 2, data: [] }, "system-event reset"]],
  "hypercall": [
    [
      { reason: "hypercall", number: 12n, args: six, flags: 1n },
      "hypercall 0xc [0x1 0x2 0x3 0x4 0x5 0x6] flags=0x1 -> 0x0",
    ],
  ],
  "set-tpr": [[{ reason: "set-tpr" }, "set-tpr"]],
  "tpr-access": [
    [{ reason: "tpr-access", rip: 1n, isWrite: true }, "tpr-access rip=0x1 write=0x1"],
  ],
  "ioapic-eoi": [[{ reason: "ioapic-eoi", vector: 0x31 }, "ioapic-eoi 0x31"]],
  "dirty-ring-full": [[{ reason: "dirty-ring-full" }, "dirty-ring-full"]],
  "bus-lock": [[{ reason: "bus-lock" }, "bus-lock"]],
  "notify": [[{ reason: "notify", flags: 1 }, "notify flags=0x1"]],
  "memory-fault": [
    [
      { reason: "memory-fault", flags: 8n, address: page(1), size: page(2) },
      "memory-fault flags=0x8 gpa=0x1000 size=0x2000",
    ],
  ],
  "exception": [[{ reason: "exception", exception: 14, errorCode: 2 }, "exception 0xe error=0x2"]],
  "ap-reset-hold": [[{ reason: "ap-reset-hold" }, "ap-reset-hold"]],
  "hyperv-synic": [
    [
      { reason: "hyperv-synic", msr: 0x40000080, control: 1n, eventPage: 2n, messagePage: 3n },
      "hyperv-synic 0x40000080 control=0x1 siefp=0x2 simp=0x3",
    ],
  ],
  "hyperv-hypercall": [
    [
      { reason: "hyperv-hypercall", input: 0x5cn, params: [page(1), 0n] },
      "hyperv-hypercall 0x5c [0x1000 0x0] -> 0x0",
    ],
  ],
  "hyperv-debug": [
    [
      {
        reason: "hyperv-debug",
        msr: 0x400000f1,
        control: 1n,
        sendPage: page(1),
        receivePage: page(2),
        pendingPage: page(3),
      },
      "hyperv-debug 0x400000f1 control=0x1 send=0x1000 receive=0x2000 pending=0x3000 -> 0x0",
    ],
  ],
  "xen-hypercall": [
    [
      { reason: "xen-hypercall", longMode: true, cpl: 3, input: 40n, params: six },
      "xen-hypercall 0x28 [0x1 0x2 0x3 0x4 0x5 0x6] long=0x1 cpl=0x3 -> 0x0",
    ],
  ],
  "other-architecture": [
    [
      {
        reason: "other-architecture",
        name: "KVM_EXIT_DCR",
        exitReason: 15,
        bytes: new Uint8Array(256),
      },
      "unknown 0xf",
    ],
  ],
  "unknown": [
    [
      { reason: "unknown", exitReason: 0x7fff, hardwareReason: 0n, bytes: new Uint8Array(256) },
      "unknown 0x7fff",
    ],
  ],
};

for (const [exit, line] of Object.values(lines).flat() as [Exit, string][]) {
  Deno.test(`an exit ${exit.reason} is the line \`${line}\``, () => {
    const access = accessOf(exit, 1);
    const event = eventOf(exit, 1, access && defaultAnswer(exit));
    assertEquals(formatLine(event), `1: ${line}`);
    // What was omitted of an event is absent from its line, not undefined.
    assertEquals(parseRecorded(`1: ${line}`), [JSON.parse(withoutBigints(event), withBigints)]);
  });
}

/** A value without its undefined members. */
function withoutBigints(value: unknown): string {
  return JSON.stringify(value, (_, member) => typeof member === "bigint" ? `${member}n` : member);
}

function withBigints(_: string, member: unknown): unknown {
  return typeof member === "string" && /^[0-9]+n$/.test(member)
    ? BigInt(member.slice(0, -1))
    : member;
}

Deno.test("no exit of x86 is without a line of its own", () => {
  for (const [name, number] of Object.entries(exitReasons)) {
    const run = new DataView(new ArrayBuffer(0x2000));
    run.setUint32(8, number, true);
    // Hyper-V and Xen tell their exits apart by a type, of which 1 is the first.
    run.setUint32(32, 1, true);
    const exit = decodeExit(run);
    // KVM_EXIT_INTR comes with EINTR, from which the run loop makes its own exit.
    if (exit.reason === "other-architecture" || exit.reason === "pio") continue;
    if (["KVM_EXIT_UNKNOWN", "KVM_EXIT_INTR"].includes(name)) continue;
    assertNotEquals(eventOf(exit, undefined, accessOf(exit) && [0n]).kind, "unknown", name);
  }
});

Deno.test("the README lists every kind of line, and each is canonical", () => {
  const readme = Deno.readTextFileSync(new URL("../README.md", import.meta.url));
  const text = /```trace\n(.*?)\n```/s.exec(readme)?.[1] ?? "";
  assertEquals(format(parse(text)), text);
  const heads = parse(text).map((line) =>
    "direction" in line ? `${line.kind} ${line.direction}` : line.kind
  );
  const missing = [...GUEST_EVENTS.keys()].filter((head) => !heads.includes(head as "hlt"));
  assertEquals(missing, []);
});
