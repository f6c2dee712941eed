import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { StateEvent, StreamEvent } from "../src/trace/event.ts";
import type { Access, Answer } from "../src/trace/match.ts";
import { parse } from "../src/trace/parse.ts";
import { Script } from "../src/trace/script.ts";
import { short } from "./divergence.ts";

function pioIn(port: bigint, count = 1, size: 1 | 2 | 4 = 1): Access {
  return { kind: "pio", direction: "in", port, size, count };
}

function mmioRead(address: bigint, size: 1 | 2 | 3 | 4 | 8): Access {
  return { kind: "mmio", direction: "read", address, size };
}

/** Answers an access from the script and feeds the completed event back. */
function serve(script: Script, access: Access): Answer | undefined {
  const answer = script.answer(access);
  if (answer === undefined) return;
  if (access.kind === "pio") {
    const { count, ...event } = access;
    const value = count === 1 ? answer[0] as bigint : answer as bigint[];
    assert(script.accept({ ...event, value }));
  } else if (access.kind === "mmio") {
    assert(script.accept({ ...access, value: answer[0] as bigint }));
  } else if (access.kind === "wrmsr") {
    assert(script.accept(answer === "error" ? { ...access, answer } : access));
  } else if (access.kind === "rdmsr") {
    assert(script.accept({ ...access, answer: answer === "error" ? answer : answer[0] }));
  } else {
    assert(script.accept({ ...access, answer: answer[0] as bigint }));
  }
  return answer;
}

/** Expected text, recorded text; both sides written out, since what is the same is the point. */
const answers: readonly [string, Access, Answer | undefined][] = [
  ["pio in 0x10 u8 -> 0x7", pioIn(0x10n), [7n]],
  ["pio in 0x10 u8 -> 0x7", pioIn(0x11n), undefined],
  ["pio in 0x10 u8 -> 0x7", pioIn(0x10n, 2), undefined],
  ["pio in 0x10 u8 -> 0x7", pioIn(0x10n, 1, 2), undefined],
  ["pio in 0x10 u8 -> 0x7", mmioRead(0x10n, 1), undefined],
  ["pio in 0x10 u16 -> *", pioIn(0x10n, 1, 2), [0xffffn]],
  ["pio in 0x10 u8 -> 0x3|0x4", pioIn(0x10n), [3n]],
  ["pio in 0x10 u8 -> [0x1 * 0x3]", pioIn(0x10n, 3), [1n, 0xffn, 3n]],
  ["pio in 0x10 u8 -> [0x1 0x2]", pioIn(0x10n, 3), undefined],
  ["pio in 0x10 u8 -> [0x1 0x2]", pioIn(0x10n, 0), undefined],
  ["pio out 0x10 u8 0x1", pioIn(0x10n), undefined],
  ["hlt | pio in 0x10 u8 -> 0x7", pioIn(0x10n), [7n]],
  ["hlt", pioIn(0x10n), undefined],
  ["mmio read 0x10 u32 -> 0x11223344", mmioRead(0x10n, 4), [0x11223344n]],
  ["mmio read 0x10 u32 -> 0x11223344", mmioRead(0x10n, 2), undefined],
  ["mmio read 0x10 u64 -> *", mmioRead(0x10n, 8), [0xffffffffffffffffn]],
  ["mmio read * u8 -> [0x11 0x22 0x33]", mmioRead(0x10n, 2), [0x2211n]],
  ["mmio read 0x10 u8 -> [0x11 0x22 0x33]", mmioRead(0x10n, 4), undefined],
  ["mmio read 0x10 u8 -> [0x11 0x22 0x33]", mmioRead(0x11n, 1), undefined],
  ["rdmsr 0x10 reason=filter -> 0x5", { kind: "rdmsr", index: 0x10n, reason: "filter" }, [5n]],
  ["rdmsr 0x10 reason=filter -> 0x5", { kind: "rdmsr", index: 0x10n, reason: "inval" }, undefined],
  ["rdmsr 0x10 -> error", { kind: "rdmsr", index: 0x10n, reason: "inval" }, "error"],
  ["rdmsr 0x10 -> *", { kind: "rdmsr", index: 0x10n }, [0xffffffffffffffffn]],
  ["wrmsr 0x10 0x1", { kind: "wrmsr", index: 0x10n, value: 1n }, []],
  ["wrmsr 0x10 0x1 -> error", { kind: "wrmsr", index: 0x10n, value: 1n }, "error"],
  ["wrmsr 0x10 0x1 -> error", { kind: "wrmsr", index: 0x10n, value: 2n }, undefined],
  ["hypercall 0xc", { kind: "hypercall", nr: 0xcn, args: [1n] }, [0n]],
  ["hypercall 0xc [0x1] -> 0x2", { kind: "hypercall", nr: 0xcn, args: [1n] }, [2n]],
  ["hypercall 0xc [0x1] -> 0x2", { kind: "hypercall", nr: 0xcn, args: [2n] }, undefined],
  ["xen-hypercall 0x28", { kind: "xen-hypercall", nr: 0x28n, args: [1n], cpl: 3n }, [0n]],
  ["xen-hypercall 0x28 -> 0x7", { kind: "xen-hypercall", nr: 0x28n }, [7n]],
  ["xen-hypercall 0x28 cpl=0x0 -> 0x7", { kind: "xen-hypercall", nr: 0x28n, cpl: 3n }, undefined],
  ["xen-hypercall 0x28 -> 0x7", { kind: "hypercall", nr: 0x28n }, undefined],
  ["hyperv-hypercall 0x5c -> 0x12", { kind: "hyperv-hypercall", input: 0x5cn }, [0x12n]],
  ["hyperv-hypercall 0x5c -> *", { kind: "hyperv-hypercall", input: 0x5cn }, [(1n << 64n) - 1n]],
  ["hyperv-hypercall 0x5c", { kind: "hyperv-hypercall", input: 0x5dn }, undefined],
  [
    "hyperv-debug 0x400000f1 control=0x1 send=* receive=0x0 pending=0x0 -> 0x1",
    {
      kind: "hyperv-debug",
      index: 0x400000f1n,
      control: 1n,
      send: 0xb000n,
      receive: 0n,
      pending: 0n,
    },
    [1n],
  ],
];

for (const [index, [text, access, answer]] of answers.entries()) {
  Deno.test(`answer ${index}, \`${text}\` to ${access.kind}`, () => {
    const script = new Script(parse(text));
    assertEquals(script.answer(access), answer);
    // Asking consumes nothing.
    assertEquals(serve(script, access), answer);
    assertStrictEquals(script.divergence, undefined);
  });
}

Deno.test("a read in fragments gets the bytes in their order", () => {
  const script = new Script(parse("mmio read 0xffe u16 -> [0x2211 0x4433|0x6655 *]\nhlt"));
  assertEquals(serve(script, mmioRead(0xffen, 3)), [0x332211n]);
  assertEquals(script.answer(mmioRead(0xffen, 3)), undefined);
  assert(!script.exhausted());
  assertEquals(serve(script, mmioRead(0x1001n, 3)), [0xffff44n]);
  assert(script.accept({ kind: "hlt" }));
  assert(script.exhausted());
  assertEquals(script.finish([]), { ok: true });
});

Deno.test("a fragment answers with the choice that agrees with what was answered before", () => {
  const script = new Script(parse("mmio read 0x10 u16 -> [0x1122|0x3344]"));
  assert(
    script.accept({ kind: "mmio", direction: "read", address: 0x10n, size: 1, value: 0x44n }),
  );
  assertEquals(script.answer(mmioRead(0x11n, 1)), [0x33n]);
});

Deno.test("each vCPU is answered from its own stream", () => {
  const script = new Script(parse("0: pio in 0x10 u8 -> 0x1\n1: pio in 0x10 u8 -> 0x2"));
  assertEquals(script.answer({ ...pioIn(0x10n), vcpu: 1 }), [2n]);
  assertEquals(script.answer(pioIn(0x10n)), undefined);
  assertEquals(serve(script, { ...pioIn(0x10n), vcpu: 0 }), [1n]);
  assertEquals([script.exhausted(0), script.exhausted(1), script.exhausted(2)], [
    true,
    false,
    true,
  ]);
  assert(!script.exhausted());
  assertEquals(serve(script, { ...pioIn(0x10n), vcpu: 1 }), [2n]);
  assert(script.exhausted());
});

Deno.test("after the first divergence nothing matches any more", () => {
  const script = new Script(parse("nmi\npio in 0x10 u8 -> 0x1"));
  assert(!script.accept({ kind: "hlt" }));
  const { divergence } = script;
  assertEquals(divergence && short(divergence), "different: 0 nmi / 0 hlt");
  assert(!script.accept({ kind: "nmi" }));
  assertEquals(script.answer(pioIn(0x10n)), undefined);
  const finished = script.finish([]);
  assertStrictEquals(finished.ok ? undefined : finished.divergence, divergence);
});

Deno.test("beyond the end of the trace nothing matches", () => {
  const script = new Script(parse("nmi"));
  assert(script.accept({ kind: "nmi" }));
  assertEquals(script.answer(pioIn(0x10n)), undefined);
  assert(!script.accept({ kind: "hlt" }));
  assert(!script.accept({ kind: "hlt" }));
  const { divergence } = script;
  assertEquals(divergence && short(divergence), "extra: 1 / 1 hlt");
});

Deno.test("a mismatch inside a list leaves the list where it was", () => {
  const script = new Script(parse("pio in 0x10 u8 -> [0x1 0x2]"));
  const event: StreamEvent = { kind: "pio", direction: "in", port: 0x10n, size: 1, value: 1n };
  assert(script.accept(event));
  assert(!script.accept(event));
  const { divergence } = script;
  assertEquals(
    divergence && short(divergence),
    "different: 0 pio in 0x10 u8 -> [0x1 0x2] / 1 pio in 0x10 u8 -> 0x1",
  );
});

Deno.test("the state's index counts on from the events", () => {
  const script = new Script(parse("hlt\n= rax 0x1\n= rbx 0x2"));
  script.accept({ kind: "hlt" });
  const state: StateEvent[] = [{ kind: "state", name: "rbx", value: 2n }, {
    kind: "state",
    name: "rax",
    value: 3n,
  }];
  const finished = script.finish(state);
  assertEquals(!finished.ok && short(finished.divergence), "different: 1 = rax 0x1 / 2 = rax 0x3");
});
