/**
 * The Workers of a {@link Kvm}'s vCPU threads. A thread that no vCPU needs any more ends; where
 * threads are kept, it waits for the next vCPU instead, since starting one takes as long as a case.
 */
export class WorkerPool implements Disposable {
  readonly #idle: Worker[] = [];
  #keeps: boolean;

  /** @param keeps whether threads wait for the next vCPU */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  /** A Worker that runs `vcpu_worker.ts` and has no vCPU. */
  take(): Worker {
    return this.#idle.pop() ??
      new Worker(import.meta.resolve("./vcpu_worker.ts"), { type: "module" });
  }

  /** Takes back a Worker whose vCPU is closed. */
  giveBack(worker: Worker): void {
    worker.onmessage = worker.onerror = null;
    if (this.#keeps) this.#idle.push(worker);
    else worker.terminate();
  }

  /** Ends the threads that wait, and from here on each one that is given back. */
  [Symbol.dispose](): void {
    this.#keeps = false;
    for (const worker of this.#idle.splice(0)) worker.terminate();
  }
}
