/** The process of an emulator. */
import { type Tool, tools } from "./command.ts";

/** Starts an emulator that does not outlive this thread, even one that is killed. */
export function startEmulator(
  { command }: Tool,
  args: readonly string[],
  stderr: "null" | "piped",
): Deno.ChildProcess {
  return new Deno.Command(tools.setpriv.command, {
    args: ["--pdeathsig", "KILL", "--", command, ...args],
    // Ctrl-C is for us to hear, who then end it.
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr,
  }).spawn();
}

/** Ends an emulator, if it has not ended. */
export function killEmulator(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}
