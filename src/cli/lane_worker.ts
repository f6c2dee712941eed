/** The thread of a lane: opens KVM for itself, and runs the cases that it is given. */
import type { Case } from "../suite/case.ts";
import { loadFiles } from "../suite/catalogue.ts";
import { LocalHost } from "../suite/local_host.ts";
import type { LaneRequest, LaneResult } from "./lane.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<LaneRequest>) => void) | null;
  postMessage(result: LaneResult | "ready"): void;
  close(): void;
}

const scope = self as unknown as WorkerScope;
let cases: ReadonlyMap<string, Case>;
let host: LocalHost;

scope.onmessage = async ({ data: request }) => {
  switch (request.kind) {
    case "open":
      cases = new Map(
        (await loadFiles(request.files)).map(({ case: { id }, case: one }) => [id, one]),
      );
      host = LocalHost.open(request.options);
      return scope.postMessage("ready");
    case "run": {
      const { case: _, autopsy, ...result } = await host.run(cases.get(request.id)!);
      // The program can be assembled again, and where a guest that passed stood nobody asks.
      const standpoint = result.verdict === "pass" || autopsy === undefined
        ? undefined
        : { bits: autopsy.bits, regs: autopsy.regs, sregs: autopsy.sregs };
      return scope.postMessage({ ...result, autopsy: standpoint });
    }
    case "close":
      host[Symbol.dispose]();
      scope.close();
  }
};
