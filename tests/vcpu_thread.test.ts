import { assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import { DisposedError } from "../ffi/disposed.ts";
import type { HostAction } from "../src/kvm/action.ts";
import { ArgumentError } from "../ffi/argument.ts";
import { LayoutError } from "../ffi/abi/layout.ts";
import { AnswerError } from "../src/kvm/vcpu.ts";
import { KvmError } from "../src/kvm/error.ts";
import { kvmTest } from "./host.ts";
import { RealModeVm } from "./real_mode.ts";

const SPIN = "jmp $";

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

kvmTest("a vCPU thread runs its guest while this thread goes on", async () => {
  using guest = new RealModeVm("mov al, 0x41\n out 0x10, al\n in al, 0x11\n out 0x12, al\n hlt");
  using thread = await guest.thread();
  assertEquals(thread.id, 0);
  const exits = [await thread.run(), await thread.run()];
  await thread.call("answer", 0x55);
  exits.push(await thread.run(), await thread.run());
  assertEquals(
    exits.map((exit) => exit.reason === "pio" ? [exit.port, ...exit.values] : exit.reason),
    [[0x10, 0x41], [0x11], [0x12, 0x55], "hlt"],
  );
});

kvmTest("200 kicks end 200 runs: none is lost, none counts twice", async () => {
  using guest = new RealModeVm(SPIN);
  using thread = await guest.thread();
  for (let round = 0; round < 200; round++) {
    const running = thread.run(5000);
    // Before, at and after the entry.
    if (round % 4 === 1) await Promise.resolve();
    if (round % 4 === 2) await sleep(0);
    thread.kick();
    assertEquals(await running, { reason: "intr", cause: "kick" }, `round ${round}`);
  }
  assertEquals(await thread.run(5), { reason: "intr", cause: "deadline" });
});

kvmTest("a kick between two runs ends the next one, also beside a deadline", async () => {
  using guest = new RealModeVm("again: out 0x10, al\n jmp again");
  using thread = await guest.thread();
  assertEquals((await thread.run(5000)).reason, "pio");
  thread.kick();
  assertEquals(await thread.run(5000), { reason: "intr", cause: "kick" });
  assertEquals((await thread.run(5000)).reason, "pio");
});

kvmTest("a deadline ends a runaway guest of a thread, again and again", async () => {
  using guest = new RealModeVm(SPIN);
  using thread = await guest.thread();
  for (let round = 0; round < 3; round++) {
    assertEquals(await thread.run(10), { reason: "intr", cause: "deadline" });
  }
});

kvmTest("the deadline of one run is not the next one's", async () => {
  using guest = new RealModeVm("out 0x10, al\n out 0x11, al\n hlt");
  using thread = await guest.thread();
  assertEquals((await thread.run(10)).reason, "pio");
  await sleep(20);
  assertEquals((await thread.run()).reason, "pio");
});

kvmTest("immediate exit is set from outside", async () => {
  using guest = new RealModeVm("hlt");
  using thread = await guest.thread();
  thread.setImmediateExit(true);
  assertEquals(await thread.run(1000), { reason: "intr", cause: "immediate-exit" });
  thread.setImmediateExit(false);
  assertEquals(await thread.run(1000), { reason: "hlt" });
});

kvmTest("two vCPUs run side by side and see each other's writes", async () => {
  // Each waits for the other's byte: neither can come to its HLT alone.
  using guest = new RealModeVm(`
    inc byte [bx]
    wait_for: cmp byte [si], 0
    je wait_for
    hlt
  `);
  const threads = [await guest.thread(0), await guest.thread(1)];
  for (const [index, thread] of threads.entries()) {
    await thread.call("setRegs", {
      ...await thread.call("regs"),
      rbx: 0x800n + BigInt(index),
      rsi: 0x801n - BigInt(index),
    });
  }
  const exits = await Promise.all(threads.map((thread) => thread.run(5000)));
  assertEquals(exits, [{ reason: "hlt" }, { reason: "hlt" }]);
  assertEquals([...guest.vm.memory.bytes(0x800, 2)], [1, 1]);
});

kvmTest("a kick reaches the thread it is for and no other", async () => {
  using guest = new RealModeVm(SPIN);
  const [first, second] = [await guest.thread(0), await guest.thread(1)];
  const runs = [first.run(5000), second.run(50)];
  await sleep(5);
  first.kick();
  assertEquals(await Promise.all(runs), [
    { reason: "intr", cause: "kick" },
    { reason: "intr", cause: "deadline" },
  ]);
});

kvmTest("disposal ends a spinning thread, at once, and its run rejects", async () => {
  using guest = new RealModeVm(SPIN);
  const thread = await guest.thread();
  const running = assertRejects(() => thread.run(), DisposedError, "VcpuThread");
  await sleep(10);
  const started = performance.now();
  thread[Symbol.dispose]();
  assertLess(performance.now() - started, 2000);
  await running;
});

kvmTest("disposal ends a thread with runs still waiting in line", async () => {
  using guest = new RealModeVm(SPIN);
  const thread = await guest.thread();
  const runs = [1, 2, 3].map(() => assertRejects(() => thread.run(), DisposedError));
  const started = performance.now();
  thread[Symbol.dispose]();
  assertLess(performance.now() - started, 2000);
  await Promise.all(runs);
});

kvmTest("threads can be made and disposed one after another", async () => {
  for (let round = 0; round < 5; round++) {
    using guest = new RealModeVm("hlt");
    using thread = await guest.thread();
    assertEquals(await thread.run(1000), { reason: "hlt" });
  }
});

kvmTest("an id that is taken is EEXIST, and the first vCPU goes on", async () => {
  using guest = new RealModeVm("hlt");
  using thread = await guest.thread(0);
  const error = await assertRejects(() => guest.vm.startVcpu(0), KvmError);
  assertEquals([error.ioctl, error.code], ["KVM_CREATE_VCPU", "EEXIST"]);
  assertEquals(await thread.run(1000), { reason: "hlt" });
});

kvmTest("an error crosses from the thread with ioctl, errno and the whole message", async () => {
  using guest = new RealModeVm("hlt");
  using thread = await guest.thread();
  const sregs = await thread.call("sregs");
  // Paging without protection (SDM 3A 2.5).
  const error = await thread.call("setSregs", { ...sregs, cr0: 0x8000_0000n }).catch((e) => e);
  assertInstanceOf(error, KvmError);
  assertEquals([error.ioctl, error.call, error.code, error.errno], [
    "KVM_SET_SREGS",
    "KVM_SET_SREGS",
    "EINVAL",
    22,
  ]);
  assertEquals(
    error.message,
    "KVM_SET_SREGS failed with EINVAL (the control registers, EFER or a segment contradict each other)",
  );
});

kvmTest("what was asked crosses in the message", async () => {
  using guest = new RealModeVm("hlt");
  using thread = await guest.thread();
  await assertRejects(() => thread.call("interrupt", 256), KvmError, "EINVAL: vector 256 (");
});

kvmTest("an error that is not KVM's crosses with its class and its message", async () => {
  using guest = new RealModeVm("hlt");
  using thread = await guest.thread();
  await thread.run(1000);
  const bad = (value: unknown) => value as never;
  const calls: [call: () => Promise<unknown>, errorClass: typeof Error, message: string][] = [
    [
      () => thread.call("answer", 1),
      bad(AnswerError),
      "the exit hlt does not wait for an answer",
    ],
    [() => thread.call("answer", 0.5), bad(ArgumentError), "an answer is 0.5: give a whole number"],
    [
      () => thread.call("interrupt", -1),
      bad(LayoutError),
      "kvm_interrupt.irq is -1; u32 takes 0 to 4294967295",
    ],
    [
      () => thread.call("interrupt", bad(() => 1)),
      bad(ArgumentError),
      "an argument cannot be sent",
    ],
    [() => thread.call("nothing" as "regs"), bad(ArgumentError), 'a vCPU has no method "nothing"'],
  ];
  for (const [call, errorClass, message] of calls) await assertRejects(call, errorClass, message);
  assertEquals((await thread.call("regs")).rip > 0n, true);
});

kvmTest("what is done from outside is observed", async () => {
  using guest = new RealModeVm("hlt");
  using thread = await guest.thread();
  const seen: HostAction[] = [];
  guest.vm.observer = (action) => seen.push(action);
  thread.kick();
  thread.setImmediateExit(true);
  assertEquals(seen, [
    { name: "kick", operands: [0], answer: undefined },
    { name: "immediate-exit", operands: [1], answer: undefined },
  ]);
});
