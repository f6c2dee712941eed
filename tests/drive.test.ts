import { assert, assertEquals, assertLess } from "@std/assert";
import { PAGE_SIZE } from "../ffi/mapping.ts";
import type { CaseDefinition } from "../src/suite/case.ts";
import { asm } from "../src/x86/asm/assembly.ts";
import { kvmTest } from "./host.ts";
import { judged, run } from "./judged.ts";

judged(
  "an assertion of a drive that fails is a failure with both values",
  {
    drive: ({ assertEquals }) => assertEquals("the count", [1n], [2n]),
  },
  "fail",
  'the count: expected ["0x2"], got ["0x1"]',
);

judged(
  "an exception of a drive is an error, whatever is missing of the trace",
  {
    drive: () => {
      throw new TypeError("a slip");
    },
  },
  "error",
  /^TypeError: a slip/,
);

judged(
  "a trace that had parted before is the reason, not what the drive made of it",
  {
    guest: asm`out 0x10, al
    hlt`,
    drive: ({ run, assertEquals }) => assertEquals("the exit", run().reason, "hlt"),
  },
  "fail",
  "expected `hlt`, got `pio out 0x10 u8 0x0`",
);

const overlap = (vm: { memory: { addRam(address: number, size: number): unknown } }) =>
  vm.memory.addRam(0, PAGE_SIZE);

judged("an ioctl that fails is an action of the trace", {
  drive: ({ attempt, vm }) => attempt(() => overlap(vm)),
  trace: "> slot 0x1 gpa=0x0 size=0x1000 -> EEXIST\nhlt",
}, "pass");

judged(
  "an ioctl that fails though the trace does not say so fails",
  {
    drive: ({ attempt, vm }) => attempt(() => overlap(vm)),
  },
  "fail",
  "expected `hlt`, got `> slot 0x1 gpa=0x0 size=0x1000 -> EEXIST`",
);

judged(
  "an ioctl's failure that a drive does not catch fails with its cause",
  {
    drive: ({ vm }) => {
      overlap(vm);
    },
    trace: "> slot 0x1 gpa=0x0 size=0x1000 -> EEXIST\nhlt",
  },
  "fail",
  /KVM_SET_USER_MEMORY_REGION failed with EEXIST: .*the slot overlaps another one/,
);

judged(
  "memory that a drive adds is a part of the frame",
  {
    guest: asm`mov ax, 0x2000
    mov ds, ax
    mov byte [0x10], 0x77
    hlt`,
    drive: ({ vm }) => {
      vm.memory.addRam(0x20000, PAGE_SIZE);
    },
    trace: `> slot 0x1 gpa=0x20000 size=0x1000
    hlt
    = rax 0x2000
    = ds.selector 0x2000
    = ds.base 0x20000`,
  },
  "fail",
  "`= mem 0x20010 u8 [0x77]` changed, but the trace does not say so",
);

kvmTest("a drive writes, reads, notes and knows the labels", async () => {
  const seen: unknown[] = [];
  const result = await run({
    guest: asm`mov al, [value]
      hlt
      value: db 1`,
    drive: (context) => {
      context.note("seen", [["count", 2]], 3n);
      const value = context.labels.get("value")!;
      seen.push([...context.read(value, 1)]);
      context.write(value, Uint8Array.of(0x42));
      seen.push(context.run().reason, context.vcpu.regs().rax);
    },
    trace: "> seen count=0x2 -> 0x3\nhlt\n= rax 0x42",
  });
  assertEquals([result.verdict, result.reason], ["pass", undefined]);
  assertEquals(seen, [[1], "hlt", 0x42n]);
});

const pair: Partial<CaseDefinition> = {
  vcpus: 2,
  guest: asm`mov al, 1
    out 0x10, al
    hlt
    vcpu1: mov al, 2
    out 0x11, al
    hlt`,
  trace:
    "1: pio out 0x11 u8 0x2\n0: pio out 0x10 u8 0x1\n0: hlt\n1: hlt\n0: = rax 0x1\n1: = rax 0x2",
};

judged("two vCPUs are judged each by its own order", pair, "pass");

judged(
  "two vCPUs are framed each by itself",
  {
    ...pair,
    trace: (pair.trace as string).replace("1: = rax 0x2", ""),
  },
  "fail",
  "`1: = rax 0x2` changed, but the trace does not say so",
);

judged("a vCPU without its label is an error", { vcpus: 2 }, "error", /has no label vcpu1/);

judged(
  "one of two vCPUs that runs away is a timeout",
  {
    ...pair,
    guest: asm`hlt
    vcpu1: jmp $`,
    trace: "0: hlt\n1: hlt",
    timeout: 50,
  },
  "timeout",
  /did not return in time/,
);

kvmTest("a drive that fails ends the vCPU that is still in its guest", async () => {
  const started = performance.now();
  const { verdict, reason } = await run({
    vcpus: 2,
    timeout: 5000,
    guest: asm`hlt
      vcpu1: jmp $`,
    drive: ({ runOn, assertEquals }) => {
      runOn(1).catch(() => {});
      assertEquals("the count", 1, 2);
    },
  });
  assertEquals([verdict, reason], ["fail", "the count: expected 2, got 1"]);
  assertLess(performance.now() - started, 3000);
});

judged("a drive of two vCPUs enters each when it says so", {
  ...pair,
  drive: async ({ runOn, note, thread }) => {
    const first = await runOn(1);
    note("first", [first.reason, thread(1).id]);
    await Promise.all([runOn(0), runOn(1)]);
  },
  trace: `> first pio 0x1\n${pair.trace}`,
}, "pass");

for (
  const [what, changes, message] of [
    ["run()", { ...pair, drive: ({ run }) => void run() }, "it has several vCPUs: use runOn(N)"],
    ["vcpu", { ...pair, drive: ({ vcpu }) => void vcpu.regs() }, "it has several vCPUs"],
    ["runOn()", { drive: async ({ runOn }) => void await runOn(0) }, "it has one vCPU: use run()"],
    ["thread()", { drive: ({ thread }) => void thread(0) }, "it has one vCPU: use vcpu"],
  ] as [string, Partial<CaseDefinition>, string][]
) {
  kvmTest(`a drive that uses ${what} where there is none is told what to use`, async () => {
    const { verdict, reason } = await run(changes);
    assertEquals(verdict, "error");
    assert(reason!.includes(message), reason);
  });
}
