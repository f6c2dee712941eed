/** What a test needs of this machine: its KVM, and Deno as a child process. */
import { HostError } from "../src/kvm/host_error.ts";
import { Kvm } from "../src/kvm/kvm.ts";

/** The folder of the project, with a slash at its end. */
export const projectRoot = new URL("../", import.meta.url);

let problem: string | undefined | null = null;

/** Why tests that need KVM cannot run here; `undefined` when they can. */
export function hostProblem(): string | undefined {
  if (problem !== null) return problem;
  try {
    Kvm.open()[Symbol.dispose]();
    return problem = undefined;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    console.warn(`the tests that need KVM are ignored: ${error.message}`);
    return problem = error.message;
  }
}

/** Registers a test that needs KVM; it is ignored, with the reason on the terminal, without. */
export function kvmTest(name: string, body: (t: Deno.TestContext) => void | Promise<void>): void {
  Deno.test({ name, ignore: hostProblem() !== undefined, fn: body });
}

/** What a child process left. */
export interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and before what {@link runDeno} starts Deno. */
export interface ChildOptions {
  readonly cwd?: string | URL;
  /** A command that ends with executing its arguments, such as `unshare -m`. */
  readonly under?: readonly string[];
}

/** Runs Deno as a child process, without colours. */
export async function runDeno(
  args: readonly string[],
  { cwd = projectRoot, under = [] }: ChildOptions = {},
): Promise<Outcome> {
  const [command, ...rest] = [...under, Deno.execPath(), ...args];
  const { code, signal, stdout, stderr } = await new Deno.Command(command, {
    args: rest,
    cwd,
    env: { NO_COLOR: "1", GITHUB_ACTIONS: "" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A temporary folder that is removed when it is disposed. */
export class TemporaryFolder implements Disposable {
  /** Its path, without a slash at its end. */
  readonly path: string = Deno.makeTempDirSync({ prefix: "trapline-" });

  /** Writes a file below it, with the folders in between, and gives its path. */
  write(name: string, text: string): string {
    const path = `${this.path}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
