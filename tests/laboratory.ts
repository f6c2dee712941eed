/** A lab of a QEMU that is a shell script. */
import { assertEquals, assertMatch } from "@std/assert";
import { type Outcome, projectRoot, runDeno, TemporaryFolder } from "./host.ts";
import { bzImage } from "./lab_files.ts";

/** The command line. */
export const main = new URL("src/cli/main.ts", projectRoot).pathname;

/** Finds the two files of the serial ports and the cases among QEMU's arguments. */
export const head = `#!/bin/sh
echo $$ > "$LAB_PID"
for argument; do
  case $argument in
    file,id=console,path=*) console=\${argument#*path=} ;;
    file,id=channel,path=*) channel=\${argument#*path=} ;;
    *trapline.cases=*) command=$argument cases=\${argument##*trapline.cases=} cases=\${cases%% *} ;;
  esac
done
echo "$command" > "$LAB_COMMAND"
case $cases in *-*) cases=$(seq \${cases%-*} \${cases#*-}) ;; *) cases=$(echo $cases | tr , ' ') ;; esac
tell() { echo "$@" >> $channel; }
`;

/** A lab that runs its cases; `one` says what becomes of number `$n`. */
export const machine = (one: string) =>
  `${head}
tell stage init; tell stage modules; tell ready
for n in $cases; do
  tell begin $n
  ${one}
  tell end $n pass 1.0
done
tell done
exec sleep 60
`;

const caseFile = (name: string) => `
  import { defineCase } from "${new URL("src/suite/case.ts", projectRoot)}";
  import { asm } from "${new URL("src/x86/asm/assembly.ts", projectRoot)}";
  export default defineCase({
    id: "own/${name}", spec: "SDM 2A: HLT", mode: "real", guest: asm\`hlt\`, trace: "hlt",
  });
`;

// Deno's own cache is not what these tests are about.
const denoDir = Deno.env.get("DENO_DIR") ??
  `${Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`}/deno`;

// Building an image takes a second: all tests have the same one.
const shared = new TemporaryFolder();
addEventListener("unload", () => shared[Symbol.dispose]());

/** A kernel, a suite of three cases, tools that are scripts, and folders of its own. */
export class Laboratory extends TemporaryFolder {
  readonly tools = `${this.path}/tools`;
  readonly temporary = `${this.path}/temporary`;
  readonly kernel = `${this.path}/bzImage`;

  static async of(script: string): Promise<Laboratory> {
    const lab = new Laboratory();
    Deno.mkdirSync(lab.tools);
    Deno.mkdirSync(lab.temporary);
    lab.tool("qemu-system-x86_64", script);
    // The image needs something to hold.
    for (const name of ["busybox", "objcopy"]) lab.tool(name, "#!/bin/sh\n");
    Deno.writeFileSync(lab.kernel, await bzImage({ release: "6.9.0-test" }));
    for (const name of ["a", "b", "c"]) lab.write(`guests/own/${name}.ts`, caseFile(name));
    return lab;
  }

  tool(name: string, script: string): void {
    const path = `${this.tools}/${name}`;
    Deno.writeTextFileSync(path, script);
    Deno.chmodSync(path, 0o755);
  }

  get environment(): Record<string, string> {
    return {
      PATH: `${this.tools}:${Deno.env.get("PATH")}`,
      XDG_CACHE_HOME: `${shared.path}/cache`,
      DENO_DIR: denoDir,
      TMPDIR: this.temporary,
      LAB_PID: `${this.path}/pid`,
      LAB_COMMAND: `${this.path}/command`,
    };
  }

  get arguments(): string[] {
    return ["run", "--allow-all", "--no-check", main, "lab", "svm", ...this.defaults];
  }

  get defaults(): string[] {
    return [`--kernel=${this.kernel}`, `--guests=${this.path}/guests`];
  }

  async run(args: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    const all = Object.entries({ ...this.environment, ...environment });
    const under = ["env", ...all.map(([name, value]) => `${name}=${value}`)];
    const outcome = await runDeno([...this.arguments, ...args], { under });
    this.assertNothingLeft();
    return outcome;
  }

  /** No emulator, no temporary file. */
  assertNothingLeft(): void {
    assertEquals([...Deno.readDirSync(this.temporary)].map(({ name }) => name), []);
    assertEquals(this.emulator(), undefined);
  }

  /** The process of the last emulator, if it is there. */
  emulator(): number | undefined {
    try {
      const pid = Deno.readTextFileSync(`${this.path}/pid`).trim();
      Deno.statSync(`/proc/${pid}`);
      return Number(pid);
    } catch {
      return undefined;
    }
  }
}

/** Fails unless a command ended with a code and one sentence. */
export function assertSentence(outcome: Outcome, code: number, message: RegExp): void {
  assertMatch(outcome.stderr, message);
  assertEquals(outcome.stderr.trimEnd().split("\n").length, 1, outcome.stderr);
  assertEquals([outcome.code, outcome.stdout], [code, ""], outcome.stderr);
}
