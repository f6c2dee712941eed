import { KvmError } from "../kvm/error.ts";
import type { VcpuThread } from "../kvm/vcpu_thread.ts";
import type { StateEvent } from "../trace/event.ts";
import { CaseError } from "./case.ts";
import type { DriveContext } from "./drive.ts";
import { stateLines } from "./final_state.ts";
import { ThreadedProcessor } from "./processor.ts";
import { bitsOf, type CaseRun, observe, type RunOutcome, sharedContext } from "./run_inline.ts";
import { snapshotAtStart, snapshotOf } from "./vcpu_snapshot.ts";

/** Runs a case of several vCPUs, each in its own thread. */
export async function runThreaded(run: CaseRun, count: number): Promise<RunOutcome> {
  const { definition, vm, recording, frame, readable } = run;
  const ids = Array.from({ length: count }, (_, id) => id);
  const threads: VcpuThread[] = [];
  for (const id of ids) threads.push(await vm.startVcpu(id));
  const processors = threads.map((thread) => new ThreadedProcessor(thread, recording));
  const starts = ids.map((id) => run.start(id));
  for (const id of ids) {
    await processors[id].start(starts[id], readable, definition.irqchip === "kernel");
  }
  const before = await Promise.all(
    processors.map(async (processor, id) =>
      snapshotAtStart(await processor.read(readable), starts[id])
    ),
  );
  observe(run);
  // The time is the guest's: a slow machine may take as long to start its threads.
  const deadline = performance.now() + run.timeout;
  for (const processor of processors) processor.deadline = deadline;
  let failure: unknown;
  try {
    if (definition.drive !== undefined) await definition.drive(context(run, processors));
    await Promise.all(processors.map((processor) => finish(run, processor)));
  } catch (error) {
    failure = error;
  }
  vm.observer = undefined;
  await Promise.all(processors.map((processor) => processor.stop()));
  const readings = await Promise.all(processors.map((processor) => processor.read(readable)));
  const state: StateEvent[] = ids.flatMap((vcpu) => {
    const outcome = {
      vcpu,
      before: before[vcpu],
      after: snapshotOf(readings[vcpu]),
      last: recording.last(vcpu),
    };
    return stateLines(recording.expected, outcome);
  });
  state.push(...frame.lines(recording.expected));
  const { regs, sregs } = readings[0];
  return {
    state,
    failure,
    autopsy: { assembled: run.assembled, bits: bitsOf(sregs), regs, sregs },
  };
}

/** Runs a vCPU until its part of the trace is there; that KVM_RUN fails is recorded. */
async function finish({ recording }: CaseRun, processor: ThreadedProcessor): Promise<void> {
  try {
    while (!recording.ended(processor.thread.id)) await processor.enter();
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
  }
}

function context(run: CaseRun, processors: readonly ThreadedProcessor[]): DriveContext {
  const refuse = (): never => {
    throw new CaseError(run.definition.id, "it has several vCPUs: use runOn(N), thread(N)");
  };
  return {
    ...sharedContext(run),
    get vcpu(): never {
      return refuse();
    },
    run: refuse,
    runOn: (vcpu) => processors[vcpu].enter(),
    thread: (vcpu) => processors[vcpu].thread,
  };
}
