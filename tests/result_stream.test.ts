import { assertEquals, assertRejects } from "@std/assert";
import { streamResults } from "../src/cli/result_stream.ts";

/** Lets everything go on that can. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("results are given as they come", async () => {
  const log: string[] = [];
  const stream = streamResults<number>(async (_, take) => {
    for (const result of [1, 2, 3]) {
      log.push(`made ${result}`);
      take(result);
      await pause();
    }
  });
  for await (const result of stream) log.push(`took ${result}`);
  assertEquals(log, ["made 1", "took 1", "made 2", "took 2", "made 3", "took 3"]);
});

Deno.test("what came before a failure is given, then the failure", async () => {
  const taken: number[] = [];
  const stream = streamResults<number>((_, take) => {
    take(1);
    take(2);
    return Promise.reject(new Error("the lab is gone"));
  });
  await assertRejects(
    async () => {
      for await (const result of stream) taken.push(result);
    },
    Error,
    "the lab is gone",
  );
  assertEquals(taken, [1, 2]);
});

Deno.test("a failure may be anything, even nothing", async () => {
  const stream = streamResults(() => Promise.reject(undefined));
  const outcome = await stream.next().then(() => "ended", () => "failed");
  assertEquals(outcome, "failed");
});

Deno.test("whoever takes no more ends it, and waits for its end", async () => {
  let state = "running";
  const stream = streamResults<number>(async (signal, take) => {
    for (let n = 0; !signal.aborted; n++) {
      take(n);
      await pause();
    }
    await pause();
    state = "ended";
  });
  for await (const result of stream) {
    if (result === 2) break;
  }
  assertEquals(state, "ended");
});
