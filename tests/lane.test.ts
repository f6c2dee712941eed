/** Cases side by side: the same verdicts, each as soon as it is known, whatever a thread dies of. */
import { assertEquals, assertMatch } from "@std/assert";
import { caseFile, files, Guests } from "./case_files.ts";
import { kvmTest, projectRoot, runDeno } from "./host.ts";

const main = new URL("src/cli/main.ts", projectRoot).pathname;

interface Judged {
  readonly id: string;
  readonly verdict: string;
  readonly actual?: string;
  readonly reason?: string;
}

async function judge(guests: Guests, jobs: number): Promise<{ code: number; judged: Judged[] }> {
  const json = `${guests.path}/run${jobs}.jsonl`;
  const options = ["--no-baseline", "--timeout=400", `--jobs=${jobs}`, `--json=${json}`];
  const args = ["run", "--allow-all", "--no-check", main, "conform", guests.flag, ...options];
  const { code } = await runDeno(args);
  const [, ...lines] = Deno.readTextFileSync(json).trimEnd().split("\n");
  return { code, judged: lines.map((line) => JSON.parse(line)) };
}

function summary({ judged }: { readonly judged: readonly Judged[] }): string[][] {
  return judged.map(({ id, verdict, actual = "" }) => [id, verdict, actual]).sort();
}

kvmTest("lanes judge as one thread does, and keep no result for a slow case", async () => {
  using guests = new Guests("pass", "fail", "spin");
  guests.write("guests/own/again.ts", caseFile("own/again", files.spin));
  const alone = await judge(guests, 1);
  const together = await judge(guests, 2);
  assertEquals(summary(together), summary(alone));
  assertEquals(together.judged.map(({ id }) => id), [
    "own/fail",
    "own/pass",
    "own/again",
    "own/spin",
  ]);
  assertEquals([alone.code, together.code], [1, 1]);
});

kvmTest("cases of several vCPUs and skipped ones come after the lanes", async () => {
  using guests = new Guests("pass", "skip");
  const two = "guest: [asm`hlt`, asm`hlt`], vcpus: 2, trace: '0: hlt\\n1: hlt'";
  guests.write("guests/own/both.ts", caseFile("own/both", two));
  const { judged } = await judge(guests, 2);
  assertEquals(judged.map(({ id }) => id), ["own/pass", "own/both", "own/skip"]);
});

kvmTest("a thread that dies is its case's verdict, and the next case has another", async () => {
  using guests = new Guests("pass", "fail");
  const dies = `guest: asm\`hlt\`, trace: 'hlt', drive: async () => {
    queueMicrotask(() => { throw new Error("out of the thread") });
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }`;
  for (const name of ["a", "b", "c"]) {
    guests.write(`guests/own/${name}.ts`, caseFile(`own/${name}`, dies));
  }
  const { code, judged } = await judge(guests, 2);
  assertEquals(code, 1);
  assertEquals(judged.map(({ id, verdict }) => [id, verdict]).sort(), [
    ["own/a", "crash"],
    ["own/b", "crash"],
    ["own/c", "crash"],
    ["own/fail", "fail"],
    ["own/pass", "pass"],
  ]);
  assertMatch(judged[0].reason ?? "", /^the thread that ran it died: .*out of the thread/);
});
