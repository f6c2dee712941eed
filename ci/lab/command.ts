import { LabError } from "./error.ts";

/** A command or a file of the host, and the Debian package that brings it. */
export interface Tool {
  /** The command's name, or the file's absolute path. */
  readonly command: string;
  readonly package: string;
}

/** The commands that building a lab takes. */
export const tools = {
  apt: { command: "apt-get", package: "apt" },
  aptCache: { command: "apt-cache", package: "apt" },
  dpkg: { command: "dpkg", package: "dpkg" },
  busybox: { command: "busybox", package: "busybox-static" },
  objcopy: { command: "objcopy", package: "binutils" },
  ldd: { command: "ldd", package: "libc-bin" },
  setpriv: { command: "setpriv", package: "util-linux" },
  bochs: { command: "bochs-bin", package: "bochs" },
  qemu: { command: "qemu-system-x86_64", package: "qemu-system-x86" },
  zstd: { command: "zstd", package: "zstd" },
  xz: { command: "xz", package: "xz-utils" },
  lz4: { command: "lz4", package: "lz4" },
  bzip2: { command: "bzip2", package: "bzip2" },
  lzop: { command: "lzop", package: "lzop" },
} as const satisfies Record<string, Tool>;

/** The path of a command in the folders of PATH; `undefined` where it is not. */
export function findCommand(command: string): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = `${folder || "."}/${command}`;
    try {
      const { isFile, mode } = Deno.statSync(path);
      if (isFile && ((mode ?? 0) & 0o111) !== 0) return path;
    } catch {
      // Not in this folder.
    }
  }
}

/**
 * Throws unless all of the commands are there.
 *
 * @throws {LabError} naming each that is missing, and the packages to install.
 */
export function requireTools(needed: readonly Tool[]): void {
  const missing = needed.filter(({ command }) =>
    command.startsWith("/") ? !isFile(command) : findCommand(command) === undefined
  );
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tool.package))];
  throw new LabError(
    `this lab needs ${missing.map(({ command }) => command).join(", ")}: ` +
      `apt-get install ${packages.join(" ")}`,
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** How a command is run. */
export interface CommandOptions {
  readonly cwd?: string;
  /** What it reads. */
  readonly input?: Uint8Array<ArrayBuffer>;
  readonly env?: Record<string, string>;
}

/**
 * Runs a command to its end and gives what it wrote.
 *
 * @throws {LabError} when it is not there or fails, with the line that it complained with.
 */
export async function run(
  { command, package: packageName }: Tool,
  args: readonly string[],
  { cwd, input, env }: CommandOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command, {
      args: [...args],
      cwd,
      env,
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new LabError(`there is no ${command}: apt-get install ${packageName}`);
  }
  const fed = input === undefined ? undefined : feed(child.stdin, input);
  const { success, stdout, stderr } = await child.output();
  await fed;
  if (success) return stdout;
  const lines = new TextDecoder().decode(stderr).trim().split("\n");
  const complaint = lines.find((line) => line.startsWith("error: ")) ?? lines.at(-1);
  throw new LabError(`${[command, ...args].join(" ")} failed: ${complaint || "it says no reason"}`);
}

async function feed(
  stdin: WritableStream<Uint8Array<ArrayBuffer>>,
  input: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(input);
    await writer.close();
  } catch {
    // It has read enough, or has failed: its exit status tells.
  }
}
