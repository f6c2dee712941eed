/** The whole command line as a user starts it: wall time and resident memory. */

/** The kernel's high-water mark of a process's resident memory, in MB. */
function residentPeak(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

async function runConform(args: readonly string[]): Promise<{ seconds: number; peak: number }> {
  const start = performance.now();
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", main, "conform", ...args],
    stdout: "null",
  }).spawn();
  let peak = 0;
  const watch = setInterval(() => peak = Math.max(peak, residentPeak(process.pid)), 5);
  const { code } = await process.status;
  clearInterval(watch);
  // 1 is a host that fails cases: no matter for what they cost.
  if (code > 1) throw new Error(`conform ended with ${code}`);
  return { seconds: (performance.now() - start) / 1000, peak };
}

async function listIds(): Promise<string[]> {
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", main, "conform", "--list"],
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

/** Measures the suite: 100 cases of it, evenly taken, and all of it. */
export async function measureConform(): Promise<
  { what: string; measured: string; goal: string }[]
> {
  const ids = await listIds();
  const hundred = Array.from({ length: 100 }, (_, index) => {
    // A pattern with a * is matched as a whole, so that each chooses one case.
    return `*${ids[Math.floor(index * ids.length / 100)].slice(1)}`;
  });
  const rows = [];
  for (
    const [what, args, goal] of [
      ["100 cases, process start to exit code", hundred, "2 s, 250 MB"],
      [`all ${ids.length} cases, process start to exit code`, [], "-"],
    ] as const
  ) {
    const runs = [];
    for (let round = 0; round < 5; round++) runs.push(await runConform(args));
    const { seconds, peak } = runs.toSorted((a, b) => a.seconds - b.seconds)[2];
    rows.push({ what, measured: `${seconds.toFixed(2)} s, ${peak.toFixed(0)} MB`, goal });
  }
  return rows;
}
