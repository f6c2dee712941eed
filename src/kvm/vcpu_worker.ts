/** The thread of a {@link VcpuThread}: makes a vCPU, runs what it is asked to, and closes it. */
import { ArgumentError, shown } from "../../ffi/argument.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { drainSignals, prepareThread } from "../../ffi/signal.ts";
import { packError } from "./sent_error.ts";
import { Vcpu } from "./vcpu.ts";
import { CLOSED, type Reply, type Request, STOPPING } from "./vcpu_thread.ts";
import { Watchdog } from "./watchdog.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<Request>) => void) | null;
  postMessage(reply: Reply): void;
}

const scope = self as unknown as WorkerScope;
let vcpu: Vcpu;
let control: Int32Array;
let watchdog: Watchdog | undefined;

scope.onmessage = ({ data: request }) => {
  switch (request.kind) {
    case "create":
      control = request.control;
      return answer(request.ticket, () => create(request));
    case "call":
      return answer(request.ticket, () => call(request));
    case "stop":
      watchdog?.[Symbol.dispose]();
      watchdog = undefined;
      vcpu[Symbol.dispose]();
      // The kick that came with it is not the next vCPU's.
      drainSignals();
      Atomics.store(control, CLOSED, 1);
      Atomics.notify(control, CLOSED);
  }
};

function answer(ticket: number, body: () => unknown): void {
  let reply: Reply;
  try {
    reply = { kind: "result", ticket, result: body() };
  } catch (error) {
    reply = { kind: "error", ticket, error: packError(error) };
  }
  scope.postMessage(reply);
}

function create({ vm, id, runSize }: Request & { kind: "create" }): unknown {
  // The descriptor is the main thread's to close.
  vcpu = Vcpu.create(new FileDescriptor(vm, "Vm"), id, runSize, {});
  return { thread: prepareThread(), fd: vcpu.fd };
}

function call({ method, args, deadline }: Request & { kind: "call" }): unknown {
  if (method !== "run") {
    if (typeof vcpu[method] !== "function") {
      throw new ArgumentError(`a vCPU has no method ${shown(method)}`);
    }
    return (vcpu[method] as (...args: readonly unknown[]) => unknown).apply(vcpu, [...args]);
  }
  if (Atomics.load(control, STOPPING) !== 0) throw new Error("the vCPU is being closed");
  if (deadline === undefined) return vcpu.run();
  watchdog ??= new Watchdog();
  watchdog.arm(deadline);
  try {
    return vcpu.run();
  } finally {
    watchdog.disarm();
  }
}
