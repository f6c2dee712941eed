/**
 * Signals to a thread that is inside KVM_RUN.
 *
 * Two real-time signals are blocked in every thread that runs a vCPU and unblocked by KVM for the
 * time of KVM_RUN alone (KVM_SET_SIGNAL_MASK). One that comes at any other time stays pending, so
 * that the next KVM_RUN returns at once: a kick cannot be lost.
 */
import { SystemCallError } from "./errno.ts";
import { libc } from "./libc.ts";

/** The signal that {@link kickThread} sends (SIGRTMIN + 6). */
export const KICK_SIGNAL = 40;
/** The signal that a {@link DeadlineTimer} sends (SIGRTMIN + 7). */
export const DEADLINE_SIGNAL = 41;

const SIG_BLOCK = 0;
const CLOCK_MONOTONIC = 1;
const SIGEV_THREAD_ID = 4;

/** Bytes of glibc's `sigset_t`. */
const SIGSET_SIZE = 128;

function signalBit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}

const ownSignals = signalBit(KICK_SIGNAL) | signalBit(DEADLINE_SIGNAL);

function signalSet(bits: bigint): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(SIGSET_SIZE);
  new DataView(set.buffer).setBigUint64(0, bits, true);
  return set;
}

const ownSet = signalSet(ownSignals);
const kickSet = signalSet(signalBit(KICK_SIGNAL));
const deadlineSet = signalSet(signalBit(DEADLINE_SIGNAL));
const noWait = new Uint8Array(16);

let ready: number | undefined;

/**
 * Blocks the two signals in the calling thread, once, and gives its thread id: from here on the
 * thread may be kicked.
 *
 * @throws {SystemCallError} with the errno of `pthread_sigmask(3)`.
 */
export function prepareThread(): number {
  if (ready !== undefined) return ready;
  const c = libc();
  const failure = c.pthread_sigmask(SIG_BLOCK, ownSet, null);
  if (failure !== 0) throw new SystemCallError("pthread_sigmask", failure);
  return ready = c.gettid();
}

/**
 * The 8-byte signal mask for KVM_SET_SIGNAL_MASK: everything blocked but the two signals, so that
 * no unrelated signal of the process shows up as an exit of the guest.
 */
export function runSignalMask(): bigint {
  return 0xffff_ffff_ffff_ffffn & ~ownSignals;
}

/**
 * Makes a thread leave KVM_RUN, or not stay in its next one.
 *
 * @param thread the id that {@link prepareThread} gave in that thread; any other would be killed
 * @throws {SystemCallError} ESRCH when the thread has ended.
 */
export function kickThread(thread: number): void {
  const c = libc();
  const result = c.tgkill(c.getpid(), thread, KICK_SIGNAL);
  if (result < 0) throw new SystemCallError("tgkill", c.errno[0], `thread ${thread}`);
}

/** Which of the two signals were pending for a thread. */
export interface PendingSignals {
  readonly kick: boolean;
  readonly deadline: boolean;
}

/** Takes every pending kick and deadline of the calling thread. */
export function drainSignals(): PendingSignals {
  return { kick: drainKicks(), deadline: drainDeadlines() };
}

/** Takes every pending kick of the calling thread, and tells whether there was one. */
export function drainKicks(): boolean {
  return drain(kickSet);
}

/** Takes every pending deadline of the calling thread, and tells whether there was one. */
export function drainDeadlines(): boolean {
  return drain(deadlineSet);
}

function drain(set: Uint8Array<ArrayBuffer>): boolean {
  const c = libc();
  let pending = false;
  while (c.sigtimedwait(set, null, noWait) > 0) pending = true;
  return pending;
}

/** A POSIX timer that sends {@link DEADLINE_SIGNAL} to the thread that made it. */
export class DeadlineTimer implements Disposable {
  readonly #timer: bigint;
  readonly #setting = new BigInt64Array(4);
  #disposed = false;

  /**
   * Makes the timer; it does not run yet.
   *
   * @throws {SystemCallError} with the errno of `timer_create(2)`.
   */
  constructor() {
    const event = new Int32Array(16);
    event[2] = DEADLINE_SIGNAL;
    event[3] = SIGEV_THREAD_ID;
    event[4] = prepareThread();
    const timer = new BigUint64Array(1);
    const c = libc();
    const result = c.timer_create(CLOCK_MONOTONIC, event, timer);
    if (result < 0) throw new SystemCallError("timer_create", c.errno[0]);
    this.#timer = timer[0];
  }

  /**
   * Starts the timer; it fires once. Zero stops it.
   *
   * @param milliseconds from now
   * @throws {SystemCallError} with the errno of `timer_settime(2)`.
   */
  set(milliseconds: number): void {
    if (this.#disposed) return;
    // Rounded up: a tiny time is not zero, which would stop the timer.
    const nanoseconds = Math.ceil(milliseconds * 1e6);
    this.#setting[2] = BigInt(Math.floor(nanoseconds / 1e9));
    this.#setting[3] = BigInt(nanoseconds % 1e9);
    const c = libc();
    const result = c.timer_settime(this.#timer, 0, this.#setting, null);
    if (result < 0) throw new SystemCallError("timer_settime", c.errno[0], `${milliseconds} ms`);
  }

  /** Deletes the timer. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    libc().timer_delete(this.#timer);
  }
}
