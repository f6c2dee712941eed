/** The supervisor against an emulator that is a shell script. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { LabError } from "../ci/lab/error.ts";
import type { SessionLimits } from "../ci/lab/session.ts";
import { supervise } from "../ci/lab/supervisor.ts";
import { defineCases } from "../src/suite/case.ts";
import type { CaseResult } from "../src/suite/verdict.ts";
import { asm } from "../src/x86/asm/assembly.ts";
import { TemporaryFolder } from "./host.ts";
import { ScriptEmulator } from "./lab_files.ts";

const cases = defineCases(
  "own/case",
  Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, name])),
  () => ({ spec: "SDM 2A: HLT", mode: "real", guest: asm`hlt`, trace: "hlt" }),
).map((definition) => ({ case: definition, file: "own/case.ts" }));

/** A lab that runs its cases; `one` says what becomes of number `$n`. */
const lab = (one: string) => `
  echo stage init; echo stage modules; sleep 0.1; echo ready
  for n in $cases; do
    echo begin $n
    ${one}
    echo end $n pass 1.0
  done
  echo done
  exec sleep 30
`;

const limits: SessionLimits = {
  boot: 20_000,
  heartbeat: 20_000,
  lastWords: 20_000,
  case: () => 20_000,
};

interface Outcome {
  /** `b crash`, as they came. */
  readonly verdicts: string[];
  readonly results: CaseResult[];
  readonly boots: number;
  readonly emulator: ScriptEmulator;
}

async function run(
  script: string,
  changes: Partial<SessionLimits> = {},
  { signal = new AbortController().signal, onEnd = (_: CaseResult) => {} } = {},
): Promise<Outcome> {
  using folder = new TemporaryFolder();
  const emulator = new ScriptEmulator(script);
  const results: CaseResult[] = [];
  const kernel = { release: "", series: "", bzImage: "", vmlinux: "" };
  try {
    await supervise({
      emulator,
      machine: { kernel, initramfs: "", cpus: 1 },
      commandLine: (numbers) => numbers.join(" "),
      cases,
      numbers: [0, 1, 2, 3],
      limits: { ...limits, ...changes },
      folder: folder.path,
      signal,
    }, {
      end(_, result) {
        results.push(result);
        onEnd(result);
      },
    });
  } catch (error) {
    (error as { outcome?: Outcome }).outcome = outcome();
    throw error;
  } finally {
    assertEquals(emulator.alive(), [], "no process is left");
  }
  return outcome();

  function outcome(): Outcome {
    const verdicts = results.map(({ case: { id }, verdict }) => `${id.at(-1)} ${verdict}`);
    return { verdicts, results, boots: emulator.pids.length, emulator };
  }
}

/** What a run throws, and what it had told before. */
async function failing(
  ...args: Parameters<typeof run>
): Promise<{ error: Error; outcome: Outcome }> {
  const error = await assertRejects(() => run(...args)) as Error & { outcome: Outcome };
  return { error, outcome: error.outcome };
}

const afterOneCrash = ["a pass", "b crash", "c pass", "d pass"];

Deno.test("a lab that lives judges every case in one boot", async () => {
  const { verdicts, boots, results } = await run(lab(""));
  assertEquals(verdicts, ["a pass", "b pass", "c pass", "d pass"]);
  assertEquals([boots, results[0].milliseconds, results[0].trace.length], [1, 1, 1]);
});

Deno.test("a panic costs the verdict of its case alone, and has the kernel's log", async () => {
  const { verdicts, results, boots, emulator } = await run(lab(`
    echo "[ 1.0] before $n" >&2
    if [ $n = 1 ]; then
      echo "[    5.92] sysrq: Trigger a crash" >&2
      echo "[    5.93] Kernel panic - not syncing: oh" >&2
      exit 0
    fi
  `));
  assertEquals(verdicts, afterOneCrash);
  assertEquals(results[1].reason, "the kernel says: Kernel panic - not syncing: oh");
  assertMatch(results[1].log!, /^\[ {4}5\.92\] sysrq: Trigger.*\n.*Kernel panic - .* oh$/m);
  assertEquals(results[1].expected.length, 1);
  assertEquals(boots, 2);
  assertEquals(emulator.commandLines, ["0 1 2 3", "2 3"]);
});

Deno.test("a console that is faster than the channel takes no verdict back", async () => {
  const { verdicts, boots } = await run(lab(`
    [ $n = 1 ] && {
      echo "[ 1.0] Kernel panic - not syncing: oh" >&2
      sleep 0.1
      echo end 1 pass 1.0; echo begin 2
      exit
    }
  `));
  assertEquals([verdicts, boots], [["a pass", "b pass", "c crash", "d pass"], 2]);
});

Deno.test("an emulator that dies or is killed is a crash of the case that ran", async () => {
  const died = await run(lab("[ $n = 1 ] && exit 5"));
  assertEquals([died.verdicts, died.boots], [afterOneCrash, 2]);
  assertEquals(died.results[1].reason, "the emulator is gone: it ended with 5");
  const killed = await run(lab("[ $n = 3 ] && kill -KILL $$"));
  assertEquals(killed.verdicts, ["a pass", "b pass", "c pass", "d crash"]);
  assertEquals(killed.results[3].reason, "the emulator is gone: SIGKILL");
});

Deno.test("what a dying kernel was about to say is not taken for a verdict", async () => {
  const { verdicts } = await run(lab(`[ $n = 1 ] && { printf 'end 1 pa'; exit; }`));
  assertEquals(verdicts, afterOneCrash);
});

Deno.test("a complaint of the kernel is a crash, though the kernel goes on", async () => {
  const warn = "sleep 0.1; echo '[ 2.5] WARNING: CPU: 0 PID: 1 at mmu.c:7 x()' >&2; sleep 0.1";
  const { verdicts, results, boots } = await run(lab(`[ $n = 1 ] && { ${warn}; }`), {
    lastWords: 300,
  });
  assertEquals([verdicts, boots], [afterOneCrash, 2]);
  assertEquals(results[1].reason, "the kernel says: WARNING: CPU: 0 PID: 1 at mmu.c:7 x()");
});

Deno.test("a heartbeat that is lost is a crash; one that goes on is a timeout", async () => {
  const lost = await run(lab("[ $n = 1 ] && exec sleep 30"), { heartbeat: 400 });
  assertEquals(lost.verdicts, afterOneCrash);
  assertEquals(lost.results[1].reason, "its heartbeat was lost for 0.4 s");
  const beating = "while :; do echo heartbeat; sleep 0.1; done";
  const alive = await run(lab(`[ $n = 1 ] && { ${beating}; }`), {
    heartbeat: 5000,
    case: () => 400,
  });
  assertEquals(alive.verdicts, ["a pass", "b timeout", "c pass", "d pass"]);
  assertMatch(alive.results[1].reason!, /^the case did not end within 0\.4 s, though the lab is/);
});

Deno.test("a lab that never boots is given up, with the end of its console", async () => {
  const silent = await failing("echo 'Booting' >&2; exec sleep 30", { boot: 300 });
  assert(silent.error instanceof LabError);
  assertEquals(
    silent.error.message,
    "the lab does not boot: it did not come to its first case within 0.3 s\n" +
      "its console ended with:\n    Booting",
  );
  assertEquals(silent.outcome.boots, 1);
  const panic = "echo '[ 0.5] Kernel panic - not syncing: no init' >&2; exit";
  assertMatch(
    (await failing(panic)).error.message,
    /^the lab does not boot: the kernel says: Kern/,
  );
  assertMatch(
    (await failing("exit 1")).error.message,
    /^the lab does not boot: the emulator is gone: it ended with 1$/,
  );
});

Deno.test("a lab that says why it cannot run anything is quoted", async () => {
  const { error } = await failing(
    "echo stage init; echo failed kvm.ko: invalid format; exec sleep 30",
  );
  assertEquals(error.message, "the lab does not boot: kvm.ko: invalid format");
});

Deno.test("a suite that ends in the middle of a case has crashed in it", async () => {
  const { verdicts, results } = await run(
    lab(`[ $n = 1 ] && { echo failed status 139; exec sleep 30; }`),
  );
  assertEquals(verdicts, afterOneCrash);
  assertEquals(results[1].reason, "status 139");
});

Deno.test("damaged lines are passed over; a verdict that is lost is an error", async () => {
  const { verdicts, results } = await run(`
    echo ready; echo begin 0; echo 'en'; echo; echo end 0 pass 1.0
    echo begin 2; echo end 2 fail 1.0 '{"actual":"shutdown"}'; echo done; exec sleep 30
  `);
  assertEquals(verdicts, ["a pass", "c fail", "b error", "d error"]);
  assertEquals(results[2].reason, "its verdict was lost on the way out of the lab");
  assertEquals(results[1].divergence?.actual?.kind, "shutdown");
});

Deno.test("a trace that cannot be read is an error of its case", async () => {
  const { verdicts, results } = await run(lab(`
    [ $n = 1 ] && { echo end 1 fail 1.0 '{"actual":"oops"}'; continue; }
  `));
  assertEquals(verdicts, ["a pass", "b error", "c pass", "d pass"]);
  assertMatch(results[1].reason!, /^what the lab recorded cannot be read: /);
});

Deno.test("a lab that does nothing but crash is given up, its verdicts kept", async () => {
  const { error, outcome } = await failing("echo ready; exit 1");
  assertMatch(error.message, /^the lab does nothing but crash: the emulator is gone/);
  assertEquals([outcome.boots, outcome.verdicts], [5, []]);
});

Deno.test("a boot that fails after a crash is tried again", async () => {
  const { verdicts, boots } = await run(`
    [ $boot = 1 ] && exit 1
    ${lab("[ $n = 1 ] && exit 1")}
  `);
  assertEquals([verdicts, boots], [afterOneCrash, 3]);
});

Deno.test("an abortion ends the lab, and is no verdict", async () => {
  const controller = new AbortController();
  const { error, outcome } = await failing(lab("[ $n = 1 ] && exec sleep 30"), {}, {
    signal: controller.signal,
    onEnd: () => controller.abort(new Error("enough")),
  });
  assertEquals([error.message, outcome.verdicts], ["enough", ["a pass"]]);
});

Deno.test("who listens may fail: the lab ends, and nothing more is told", async () => {
  const { error, outcome } = await failing(lab(""), {}, {
    onEnd: () => {
      throw new Error("the disk is full");
    },
  });
  assertEquals([error.message, outcome.verdicts], ["the disk is full", ["a pass"]]);
});

Deno.test("a lab that speaks of a case that its suite has not is refused", async () => {
  const { error } = await failing("echo ready; echo begin 99; exec sleep 30");
  assertEquals(error.message, "the lab speaks of case 99, and its suite has 4");
});
