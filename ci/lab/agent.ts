/** What runs in a lab: judges the cases that the kernel's command line names, one by one. */
import { libc } from "../../ffi/libc.ts";
import { HostError } from "../../src/kvm/host_error.ts";
import type { Case } from "../../src/suite/case.ts";
import { isLensName } from "../../src/suite/lens.ts";
import { LocalHost } from "../../src/suite/local_host.ts";
import type { CaseResult } from "../../src/suite/verdict.ts";
import { decodeNumbers } from "./case_list.ts";
import { endMessage, formatMessage, type Message } from "./channel.ts";
import type { PackedCase } from "./packed_case.ts";

/** The serial port that the host listens to; the first one is the kernel's console. */
const CHANNEL = "/dev/ttyS1";
/** Asks a terminal how many bytes it has yet to send (ioctl_tty(2)). */
const TIOCOUTQ = 0x5411;

/** How a file of cases is imported, by its URL on the host. */
export type CaseFiles = ReadonlyMap<string, () => Promise<{ default?: Case | readonly Case[] }>>;

/** Runs the cases, and tells each verdict as soon as it is there. */
export async function runAgent(files: CaseFiles): Promise<void> {
  // The host runs this once for V8's code cache.
  if (Deno.args[0] === "--import") {
    for (const load of files.values()) await load();
    return;
  }
  using channel = new Channel(CHANNEL);
  const parameters = new URLSearchParams(
    Deno.readTextFileSync("/proc/cmdline").trim().split(" ")
      .filter((word) => word.startsWith("trapline."))
      .map((word) => word.slice("trapline.".length).replace("=", "\n").split("\n")),
  );
  let host: LocalHost;
  try {
    const lens = parameters.get("lens");
    host = LocalHost.open({ lens: isLensName(lens) ? lens : undefined, keepThreads: true });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    channel.send({ kind: "failed", reason: explain(error) });
    return;
  }
  const lines = Deno.readTextFileSync(new URL("./cases.jsonl", import.meta.url)).split("\n");
  channel.send({ kind: "ready" });
  let last: Message[] = [];
  for (const number of decodeNumbers(parameters.get("cases") ?? "")) {
    const packed: PackedCase = JSON.parse(lines[number]);
    channel.send(...last, { kind: "begin", number });
    last = [endMessage(number, await judge(host, files, packed))];
  }
  channel.send(...last, { kind: "done" });
}

function explain({ problem, message }: HostError): string {
  if (problem !== "missing") return message;
  return "its kernel has no KVM, for there is no /dev/kvm: build it with CONFIG_KVM and the vendor's " +
    "part of it (CONFIG_KVM_AMD, CONFIG_KVM_INTEL), and where they are modules, give --modules";
}

async function judge(host: LocalHost, files: CaseFiles, packed: PackedCase): Promise<CaseResult> {
  const exported = await files.get(packed.file)!();
  const definition = ([exported.default ?? []].flat() as Case[])
    .find(({ id }) => id === packed.id)!;
  if ("error" in packed) {
    return {
      case: definition,
      verdict: "error",
      reason: packed.error,
      expected: [],
      trace: [],
      milliseconds: 0,
    };
  }
  const { bits, origin, bytes, symbols } = packed;
  definition.guest.provide({ bits, origin }, {
    bytes: Uint8Array.from(bytes),
    origin: BigInt(origin),
    symbols: new Map(symbols.map(([name, address]) => [name, BigInt(address)])),
    lines: [],
  });
  return await host.run(definition);
}

/** The line to the host. */
class Channel implements Disposable {
  readonly #file: number;

  constructor(path: string) {
    const O_WRONLY_NOCTTY = 0o401;
    this.#file = libc().open(new TextEncoder().encode(`${path}\0`), O_WRONLY_NOCTTY);
    if (this.#file < 0) throw new Error(`${path} cannot be opened`);
  }

  /** Sends messages; when this returns no crash of the kernel can take them back. */
  send(...messages: readonly Message[]): void {
    const bytes = new TextEncoder().encode(messages.map(formatMessage).join(""));
    for (let at = 0; at < bytes.length;) {
      const written = libc().write(this.#file, bytes.subarray(at), BigInt(bytes.length - at));
      if (written < 0) throw new Error("the channel to the host cannot be written");
      at += Number(written);
    }
    const waiting = new Int32Array(1);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (libc().ioctlBuffer(this.#file, TIOCOUTQ, waiting) === 0 && waiting[0] > 0) {
      Atomics.wait(pause, 0, 0, 1);
    }
  }

  [Symbol.dispose](): void {
    libc().close(this.#file);
  }
}
