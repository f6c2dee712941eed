/** The entry of the command line: `deno task <command>`. */
import type { Output } from "../report/console.ts";
import { compare } from "./compare.ts";
import { conform } from "./conform.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { gate } from "./gate.ts";
import { lab } from "./lab.ts";
import { merge } from "./merge.ts";

const commands = new Map(Object.entries({ conform, lab, gate, compare, merge }));

const encoder = new TextEncoder();

function terminal(): Output {
  const isTerminal = Deno.stdout.isTerminal();
  return {
    isTerminal,
    columns: isTerminal ? Deno.consoleSize().columns : 80,
    color: isTerminal && !Deno.noColor,
    write(text) {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    },
  };
}

async function main([name, ...args]: string[]): Promise<number> {
  const command = commands.get(name);
  if (command === undefined) {
    const given = name === undefined ? "no command is given" : `there is no command ${name}`;
    console.error(`${given}: there is ${[...commands.keys()].join(", ")}`);
    return exitCodes.usage;
  }
  try {
    return await command(args, terminal());
  } catch (error) {
    // Whoever reads the report may have enough of it: `deno task conform | head`.
    if (error instanceof Deno.errors.BrokenPipe) return exitCodes.unexpected;
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    return error.code;
  }
}

Deno.exit(await main(Deno.args));
