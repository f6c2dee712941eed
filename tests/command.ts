/** A command of the command line, run in the test's own process. */
import { assertEquals, assertMatch } from "@std/assert";
import { CommandError } from "../src/cli/exit.ts";
import type { Output } from "../src/report/console.ts";

// Where these tests run on GitHub themselves, their commands must not report there.
Deno.env.delete("GITHUB_ACTIONS");

/** What a command left. */
export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  /** The sentence it ended with, if it did. */
  readonly message: string;
}

/** An output that keeps what is written. */
export class Screen implements Output {
  /** What was written. */
  text = "";
  /** A pipe unless told otherwise. */
  constructor(readonly isTerminal = false, readonly columns = 80, readonly color = false) {}
  /** Keeps a text. */
  write(text: string): void {
    this.text += text;
  }
}

/** Runs a command as the command line does. */
export async function runCommand(
  command: (args: readonly string[], output: Output) => number | Promise<number>,
  ...args: string[]
): Promise<CommandOutcome> {
  const screen = new Screen();
  try {
    return { code: await command(args, screen), stdout: screen.text, message: "" };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { code: error.code, stdout: screen.text, message: error.message };
  }
}

/** Asserts that a command ended with a code and one sentence, and printed nothing else. */
export function assertRefused(outcome: CommandOutcome, code: number, message: RegExp): void {
  assertMatch(outcome.message, message);
  assertEquals([outcome.code, outcome.stdout], [code, ""], outcome.message);
}
