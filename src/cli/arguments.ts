import { type Args, parseArgs } from "@std/cli/parse-args";
import { CommandError, exitCodes } from "./exit.ts";

/** The options that a command knows, by what they take. */
export interface OptionNames {
  /** Options without a value. */
  readonly flags?: readonly string[];
  /** Options with one. */
  readonly values?: readonly string[];
  /** Options with a value that `--no-` takes back. */
  readonly negatable?: readonly string[];
  /** Options with a value that may be there several times. */
  readonly lists?: readonly string[];
}

/** The command line of a command, of which every option is known. */
export class Arguments {
  readonly #parsed: Args;

  /**
   * Reads a command line.
   *
   * @param command for messages
   * @param args what follows the command
   * @param names the command's options; `--help` is one of them by itself
   * @throws {CommandError} when there is no such option, or one lacks its value.
   */
  constructor(readonly command: string, args: readonly string[], names: OptionNames) {
    const { flags = [], values = [], negatable = [], lists = [] } = names;
    this.#parsed = parseArgs(args, {
      boolean: [...flags, "help"],
      string: [...values, ...negatable, ...lists, "_"],
      collect: lists,
      negatable,
      unknown: (arg, key) => {
        if (key === undefined) return true;
        throw this.usage(`there is no option ${arg}`);
      },
    });
    for (const name of [...values, ...negatable, ...lists]) {
      if ([this.#parsed[name]].flat().includes("")) throw this.usage(`--${name} takes one value`);
    }
  }

  /** What is no option: patterns, or files. */
  get words(): readonly string[] {
    return this.#parsed._.map(String);
  }

  /** Whether a flag is given. */
  flag(name: string): boolean {
    return this.#parsed[name] === true;
  }

  /** Whether an option is taken back: `--no-baseline`. */
  negated(name: string): boolean {
    return this.#parsed[name] === false;
  }

  /** The value of an option. */
  value(name: string): string | undefined {
    const given = this.#parsed[name];
    return typeof given === "string" ? given : undefined;
  }

  /** The values of an option that may be there several times. */
  list(name: string): readonly string[] {
    return this.#parsed[name] as string[];
  }

  /**
   * The value of an option that counts something.
   *
   * @throws {CommandError} when it is not a number from 1 to the limit.
   */
  count(name: string, limit: number): number | undefined {
    const text = this.value(name);
    if (text === undefined) return;
    const number = Number(text);
    if (Number.isInteger(number) && number >= 1 && number <= limit) return number;
    throw this.usage(`--${name} ${text} is not a number from 1 to ${limit}`);
  }

  /** Wrong usage of the command, in a sentence. */
  usage(problem: string): CommandError {
    return new CommandError(
      `${problem}; see deno task ${this.command} --help`,
      exitCodes.usage,
    );
  }
}
