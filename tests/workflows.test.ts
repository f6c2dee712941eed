/** The templates of ci/workflows, beside the published schemas of what reads them. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { validateWorkflow } from "npm:@action-validator/core@0.6.0";
import { Job } from "npm:kubernetes-models@5.1.0/batch/v1";
import { parse } from "npm:yaml@2.9.1";
import { tools } from "../ci/lab/command.ts";
import { compareHelp } from "../src/cli/compare.ts";
import { conformHelp } from "../src/cli/conform.ts";
import { gateHelp } from "../src/cli/gate.ts";
import { readGateConfig } from "../src/cli/gate_config.ts";
import { emulators } from "../src/cli/lab_backend.ts";
import { mergeHelp } from "../src/cli/merge.ts";
import { type Outcome, projectRoot, runDeno, TemporaryFolder } from "./host.ts";

function read(name: string): string {
  return Deno.readTextFileSync(new URL(`ci/workflows/${name}`, projectRoot));
}

// deno-lint-ignore no-explicit-any
const load = (name: string): any => parse(read(name));

const labs = readGateConfig(undefined).filter(({ backend }) => backend !== "host")
  .map(({ name }) => name).toSorted();

Deno.test("the workflow is as GitHub's schema has it", () => {
  const text = read("github.yml");
  assertEquals(validateWorkflow(text).errors, []);
  const broken = text.replace("runs-on:", "run-on:");
  assert(validateWorkflow(broken).errors.length > 0, "the validator takes anything");
});

Deno.test("the workflow judges every lab, and as many shards of the host as it says", () => {
  const { jobs } = load("github.yml");
  assertEquals(jobs.lab.strategy.matrix.backend.toSorted(), labs);
  const { shard } = jobs.host.strategy.matrix;
  assertEquals(shard, shard.map((_: number, index: number) => index + 1));
  const commands = jobs.host.steps.map(({ run = "" }) => run).join("\n");
  assertStringIncludes(commands, `--shard \${{ matrix.shard }}/${shard.length} `);
  assertStringIncludes(jobs.host.name, `of ${shard.length}`);
  assertMatch(commands, /KERNEL=="kvm".*MODE="0666"[^]*udevadm control --reload-rules/);
});

const hasGit = await new Deno.Command("git", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

async function gitlab(text: string): Promise<Outcome> {
  using folder = new TemporaryFolder();
  folder.write(".gitlab-ci.yml", text);
  const git = (...args: string[]) =>
    new Deno.Command("git", { args, cwd: folder.path, stdout: "null", stderr: "null" }).output();
  await git("init", "--quiet");
  await git("remote", "add", "origin", "git@gitlab.com:trapline/trapline.git");
  const args = ["run", "--allow-all", "npm:gitlab-ci-local@4.75.1", "--list-json"];
  return await runDeno(args, { cwd: folder.path });
}

Deno.test({
  name: "the pipeline is as GitLab's schema has it" + (hasGit ? "" : " (needs git)"),
  ignore: !hasGit,
  fn: checkPipeline,
});

async function checkPipeline(): Promise<void> {
  const text = read("gitlab.yml");
  const { code, stdout, stderr } = await gitlab(text);
  assertEquals(code, 0, stderr);
  const names = JSON.parse(stdout).map(({ name }: { name: string }) => name);
  assertEquals(names.filter((name: string) => name.startsWith("lab: ")).length, labs.length);
  const broken = await gitlab(text.replace("interruptible:", "interruptable:"));
  assertEquals(broken.code, 1, "the validator takes anything");
}

Deno.test("the pipeline judges every lab", () => {
  const { lab, host } = load("gitlab.yml");
  assertEquals(lab.parallel.matrix[0].BACKEND.toSorted(), labs);
  assertStringIncludes(host.script[0], '--shard "$CI_NODE_INDEX/$CI_NODE_TOTAL"');
});

/** Has the compiler look at a Job: unlike the API's schema, its types refuse fields of no meaning. */
async function checkTypes(job: unknown): Promise<Outcome> {
  using folder = new TemporaryFolder();
  const file = folder.write(
    "job.ts",
    `import type { IJob } from "npm:kubernetes-models@5.1.0/batch/v1";
     export const job: IJob = ${JSON.stringify(job)};`,
  );
  return await runDeno(["check", "--quiet", file], { cwd: folder.path });
}

Deno.test("the Job is as the Kubernetes API's schema has it", async () => {
  const job = load("kubernetes.yaml");
  new Job(job).validate();
  const broken = structuredClone(job);
  broken.spec.completions = "8";
  let refused = false;
  try {
    new Job(broken).validate();
  } catch {
    refused = true;
  }
  assert(refused, "the validator takes anything");
  const { code, stderr } = await checkTypes(job);
  assertEquals(code, 0, stderr);
  const misspelt = JSON.parse(JSON.stringify(job).replace("completionMode", "completionsMode"));
  assertMatch(
    (await checkTypes(misspelt)).stderr,
    /'"completionsMode"' does not exist in type 'IJobSpec'/,
  );
});

Deno.test("the Job has a shard for each index, and each needs KVM", async () => {
  const { spec } = load("kubernetes.yaml");
  const [container] = spec.template.spec.containers;
  const { value: shards } = container.env.find(({ name }: { name: string }) => name === "SHARDS");
  assertEquals([spec.completionMode, `${spec.completions}`], ["Indexed", shards]);
  assertEquals(container.resources.limits["devices.kubevirt.io/kvm"], "1");
  // What the shell makes of the arguments, with a command in Deno's place that shows its own.
  const shown = container.args[0].replace("exec deno task", "echo").replace(/--json.*/s, "");
  const indexes = Array.from({ length: spec.completions }, (_, index) => index);
  const commands = await Promise.all(indexes.map(async (index) => {
    const env = { JOB_COMPLETION_INDEX: `${index}`, SHARDS: shards };
    const { stdout } = await new Deno.Command("sh", { args: ["-c", shown], env }).output();
    return new TextDecoder().decode(stdout).trim();
  }));
  assertEquals(commands, indexes.map((index) => `--quiet conform --shard ${index + 1}/${shards}`));
});

for (const name of ["github.yml", "gitlab.yml"]) {
  Deno.test(`${name} installs what the labs are made of`, () => {
    const text = read(name);
    const needed = [...emulators.values()].flatMap((emulator) => emulator.tools);
    for (const { package: brings } of [...needed, tools.busybox, tools.objcopy]) {
      assertMatch(text, new RegExp(` ${brings}[ \n]`), brings);
    }
  });
}

const helps: Readonly<Record<string, string>> = {
  conform: conformHelp,
  gate: gateHelp,
  merge: mergeHelp,
  compare: compareHelp,
};

for (const name of ["github.yml", "gitlab.yml", "kubernetes.yaml"]) {
  Deno.test(`${name} uses commands and options that there are`, () => {
    const joined = read(name).replaceAll(/\\\n|\n\s+(?=--)/g, " ");
    const commands = [...joined.matchAll(/task (?:--quiet )?(\w+)([^\n]*)/g)];
    assert(commands.length > 0);
    for (const [, command, rest] of commands) {
      assert(command in helps, command);
      for (const [option] of rest.matchAll(/--[a-z-]+/g)) {
        assertStringIncludes(helps[command], `  ${option} `);
      }
    }
  });
}
