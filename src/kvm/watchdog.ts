import { ArgumentError, shown } from "../../ffi/argument.ts";
import { DisposedError } from "../../ffi/disposed.ts";
import { DeadlineTimer, drainDeadlines } from "../../ffi/signal.ts";

/**
 * Ends a guest that does not return: when its time runs out, the thread's KVM_RUN returns, and the
 * exit is `intr` with the cause `"deadline"`.
 *
 * It is a POSIX timer that signals the thread that made it, so it works while that thread is
 * inside KVM_RUN. Make one a thread.
 *
 * @example
 * ```ts
 * import { Watchdog } from "@trapline/trapline";
 *
 * using watchdog = new Watchdog();
 * watchdog.arm(100);
 * // ... vcpu.run() ...
 * console.log(watchdog.disarm()); // false: it did not fire
 * ```
 */
export class Watchdog implements Disposable {
  readonly #timer = new DeadlineTimer();
  #armed = false;
  #disposed = false;

  /**
   * Starts the time, anew if it was running.
   *
   * @param milliseconds from now, above 0
   * @throws {ArgumentError} when the time is not above 0.
   * @throws {DisposedError} after disposal.
   */
  arm(milliseconds: number): void {
    if (this.#disposed) throw new DisposedError("Watchdog");
    if (!(milliseconds > 0)) {
      throw new ArgumentError(`a watchdog of ${shown(milliseconds)} ms: give a time above 0`);
    }
    // The time before may have run out already, with its signal still to come.
    if (this.#armed) this.disarm();
    this.#timer.set(milliseconds);
    this.#armed = true;
  }

  /**
   * Stops the time and takes back a signal that has not reached a KVM_RUN.
   *
   * @returns whether such a signal was waiting
   * @throws {DisposedError} after disposal.
   */
  disarm(): boolean {
    if (this.#disposed) throw new DisposedError("Watchdog");
    // Linux 6.13 and later drop the signal of a timer that is stopped; earlier ones leave it, and
    // the timer may fire until it is. A kick is left alone: it is for the next KVM_RUN.
    const waiting = drainDeadlines();
    this.#timer.set(0);
    this.#armed = false;
    return drainDeadlines() || waiting;
  }

  /** Stops and deletes the timer. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.disarm();
    this.#disposed = true;
    this.#timer[Symbol.dispose]();
  }
}
