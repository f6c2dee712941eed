/** What judges cases for a command: this machine's KVM, or a lab's. */
import type { Place } from "../report/report.ts";
import type { ReportedResult } from "../report/failure.ts";
import type { CatalogueEntry } from "../suite/catalogue.ts";

/** Told of what goes on, for a live line. */
export interface Progress {
  /** A case begins. */
  case(id: string): void;
  /** Something else takes its time: a boot, a download. */
  note(text: string): void;
}

/** Something that can be made ready to judge cases. */
export interface Backend {
  /** Its name in `ci/gate.json`. */
  readonly name: string;

  /**
   * Makes it ready.
   *
   * @param cases what it will be asked to judge
   * @throws {CommandError} when it cannot run here; the message names the cause and the mend.
   */
  open(cases: readonly CatalogueEntry[], progress: Progress): Promise<OpenBackend>;
}

/** A backend that is ready. Disposal leaves nothing of it behind. */
export interface OpenBackend extends AsyncDisposable {
  /** Where the cases will run. */
  readonly place: Place;
  /**
   * Whether an emulated CPU runs the cases: its interrupts come at other instructions each time, and
   * its faults show now and then.
   */
  readonly emulated?: boolean;
  /** How many cases it will judge, where that is not all it was asked for. */
  readonly total?: number;

  /**
   * Judges the cases, and gives each result as soon as it is known.
   *
   * @throws {CommandError} when it cannot go on; what was given until then stays.
   */
  results(): AsyncIterable<ReportedResult>;
}
