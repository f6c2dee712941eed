import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertThrows } from "@std/assert";
import { SystemCallError } from "../ffi/errno.ts";
import {
  DEADLINE_SIGNAL,
  DeadlineTimer,
  drainDeadlines,
  drainKicks,
  drainSignals,
  KICK_SIGNAL,
  kickThread,
  prepareThread,
  runSignalMask,
} from "../ffi/signal.ts";
import { Watchdog } from "../src/kvm/watchdog.ts";
import { kvmTest } from "./host.ts";
import { RealModeVm } from "./real_mode.ts";

/** A guest that never leaves. */
const SPIN = "jmp $";

/** Waits without running anything else in this thread. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

Deno.test("a kick of this thread stays pending until it is taken, once", () => {
  const thread = prepareThread();
  assertEquals(prepareThread(), thread);
  kickThread(thread);
  kickThread(thread);
  assertEquals(drainSignals(), { kick: true, deadline: false });
  assertEquals(drainSignals(), { kick: false, deadline: false });
});

Deno.test("kicks and deadlines are taken apart", () => {
  using timer = new DeadlineTimer();
  kickThread(prepareThread());
  timer.set(1);
  block(10);
  assertEquals([drainDeadlines(), drainDeadlines()], [true, false]);
  assertEquals([drainKicks(), drainKicks()], [true, false]);
  assertEquals(drainSignals(), { kick: false, deadline: false });
});

Deno.test("a kick of a thread that is not there is ESRCH", () => {
  const error = assertThrows(() => kickThread(0x3ffffffe), SystemCallError);
  assertEquals([error.call, error.code], ["tgkill", "ESRCH"]);
});

Deno.test("KVM_RUN's mask blocks every signal but the two", () => {
  const open = ~runSignalMask() & 0xffff_ffff_ffff_ffffn;
  assertEquals(open, 1n << BigInt(KICK_SIGNAL - 1) | 1n << BigInt(DEADLINE_SIGNAL - 1));
});

Deno.test("a timer fires once, and not when it was stopped", () => {
  using timer = new DeadlineTimer();
  timer.set(1);
  block(10);
  assertEquals([drainDeadlines(), drainDeadlines()], [true, false]);
  timer.set(5);
  timer.set(0);
  block(15);
  assertEquals(drainDeadlines(), false);
});

Deno.test("a timer takes seconds and parts of a nanosecond", () => {
  using timer = new DeadlineTimer();
  timer.set(2 ** 31);
  // Less than a nanosecond is not "never".
  timer.set(1e-9);
  block(10);
  assertEquals(drainDeadlines(), true);
  timer.set(1500.25);
  block(10);
  assertEquals(drainDeadlines(), false);
});

Deno.test("a disposed timer does not fire and cannot be set", () => {
  const timer = new DeadlineTimer();
  timer.set(5);
  timer[Symbol.dispose]();
  timer[Symbol.dispose]();
  timer.set(1);
  block(15);
  assertEquals(drainDeadlines(), false);
});

for (const milliseconds of [0, -1, NaN, -Infinity]) {
  Deno.test(`a watchdog of ${milliseconds} ms is refused`, () => {
    using watchdog = new Watchdog();
    assertThrows(() => watchdog.arm(milliseconds), RangeError, "above 0");
  });
}

Deno.test("disarm tells whether a deadline was waiting, and takes it back", () => {
  using watchdog = new Watchdog();
  assertEquals(watchdog.disarm(), false);
  watchdog.arm(1);
  block(10);
  assertEquals([watchdog.disarm(), watchdog.disarm()], [true, false]);
  watchdog.arm(1000);
  assertEquals(watchdog.disarm(), false);
  assertEquals(drainSignals(), { kick: false, deadline: false });
});

Deno.test("a disposed watchdog leaves no signal behind", () => {
  const watchdog = new Watchdog();
  watchdog.arm(1);
  block(10);
  watchdog[Symbol.dispose]();
  assertEquals(drainSignals(), { kick: false, deadline: false });
});

Deno.test("disarm leaves a kick for the next KVM_RUN", () => {
  using watchdog = new Watchdog();
  watchdog.arm(1000);
  kickThread(prepareThread());
  assertEquals(watchdog.disarm(), false);
  assertEquals(drainKicks(), true);
});

kvmTest("the watchdog ends a runaway guest in its time, again and again", () => {
  using guest = new RealModeVm(SPIN);
  using vcpu = guest.vcpu();
  using watchdog = new Watchdog();
  for (let round = 0; round < 3; round++) {
    const started = performance.now();
    watchdog.arm(20);
    assertEquals(vcpu.run(), { reason: "intr", cause: "deadline" });
    const took = performance.now() - started;
    assertGreaterOrEqual(took, 19);
    assertLess(took, 1000);
    assertEquals(watchdog.disarm(), false);
  }
});

kvmTest("a deadline that comes outside KVM_RUN ends the next run at once", () => {
  using guest = new RealModeVm(SPIN);
  using vcpu = guest.vcpu();
  using watchdog = new Watchdog();
  watchdog.arm(1);
  block(10);
  const before = vcpu.regs().rip;
  assertEquals(vcpu.run(), { reason: "intr", cause: "deadline" });
  assertEquals(vcpu.regs().rip, before);
});

kvmTest("a deadline that disarm took does not end the next run", () => {
  using guest = new RealModeVm("hlt");
  using vcpu = guest.vcpu();
  using watchdog = new Watchdog();
  watchdog.arm(1);
  block(10);
  watchdog.disarm();
  assertEquals(vcpu.run().reason, "hlt");
});

kvmTest("arming starts the time anew, also when it had run out unseen", () => {
  using guest = new RealModeVm(SPIN);
  using vcpu = guest.vcpu();
  using watchdog = new Watchdog();
  watchdog.arm(1);
  block(10);
  watchdog.arm(40);
  const started = performance.now();
  assertEquals(vcpu.run(), { reason: "intr", cause: "deadline" });
  assertGreaterOrEqual(performance.now() - started, 30);
});

kvmTest("a kick before the run gives exactly one intr, and a disarm between them none less", () => {
  using guest = new RealModeVm("again: out 0x10, al\n jmp again");
  using vcpu = guest.vcpu();
  using watchdog = new Watchdog();
  vcpu.kick();
  watchdog.arm(1000);
  watchdog.disarm();
  assertEquals(vcpu.run(), { reason: "intr", cause: "kick" });
  assertEquals([vcpu.run().reason, vcpu.run().reason], ["pio", "pio"]);
});

kvmTest("a kick that a vCPU has not taken does not reach the next one of its thread", () => {
  using guest = new RealModeVm("hlt");
  const first = guest.vcpu(0);
  first.kick();
  first[Symbol.dispose]();
  using second = guest.vcpu(1);
  assertEquals(second.run().reason, "hlt");
});

kvmTest("immediate exit returns before the guest is entered, as long as it is on", () => {
  using guest = new RealModeVm("hlt");
  using vcpu = guest.vcpu();
  vcpu.immediateExit = true;
  assert(vcpu.immediateExit);
  assertEquals(vcpu.run(), { reason: "intr", cause: "immediate-exit" });
  assertEquals(vcpu.run(), { reason: "intr", cause: "immediate-exit" });
  vcpu.immediateExit = false;
  assertEquals(vcpu.run().reason, "hlt");
});
