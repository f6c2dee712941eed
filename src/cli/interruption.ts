const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
const signals = Object.keys(numbers) as (keyof typeof numbers)[];

/** Turns the signals that end a process into an abortion, so that it can put its things away. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #listeners = signals.map((name) => ({ name, listen: () => this.#interrupt(name) }));
  #code = 0;

  /** Listens from here on. */
  constructor() {
    for (const { name, listen } of this.#listeners) Deno.addSignalListener(name, listen);
  }

  /** Aborted by the first of the signals. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What a shell would give as the exit code: 128 and the signal's number. */
  get code(): number {
    return this.#code;
  }

  #interrupt(name: keyof typeof numbers): void {
    this.#code ||= 128 + numbers[name];
    this.#controller.abort();
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    for (const { name, listen } of this.#listeners) Deno.removeSignalListener(name, listen);
  }
}
