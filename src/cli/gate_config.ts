/** `ci/gate.json`: which backends the gate judges. */
import { runName } from "../report/report.ts";
import { isLensName, type LensName, lensNames } from "../suite/lens.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl } from "./file_url.ts";

/** A backend that the gate judges. */
export interface GateEntry {
  /** `host` or `host-restore`, or the name of its baseline: `svm-6.12-npt=0`. */
  readonly name: string;
  /** This machine, or a lab. */
  readonly backend: "host" | "svm" | "vmx";
  /** Series of the kernel that a lab boots. */
  readonly kernel?: string;
  /** Parameters of the lab's KVM modules, such as `npt=0`. */
  readonly params: readonly string[];
  /** What the host does between two exits. */
  readonly lens?: LensName;
  /** Whether the gate may pass where this one cannot run. */
  readonly optional: boolean;
  /** Whether it runs only where `--only` names it. */
  readonly onRequest: boolean;
  /** Patterns of the cases that it judges where `--only` does not name it; default all. */
  readonly cases?: readonly string[];
}

const ownConfig = new URL("../../ci/gate.json", import.meta.url);

/**
 * Reads the configuration of the gate.
 *
 * @param path of another file than `ci/gate.json`
 * @throws {CommandError} when it cannot be read or is malformed.
 */
export function readGateConfig(path: string | undefined): GateEntry[] {
  const file = path === undefined ? ownConfig : fileUrl(path);
  const name = file.pathname.split("/").at(-1)!;
  const wrong = (problem: string) => new CommandError(`${name}: ${problem}`, exitCodes.nothing);
  let value: unknown;
  try {
    value = JSON.parse(Deno.readTextFileSync(file));
  } catch (error) {
    const what = error instanceof SyntaxError ? "it is not JSON" : "it cannot be read";
    throw wrong(`${what}: ${(error as Error).message}`);
  }
  const { backends } = Object(value) as { backends?: unknown };
  if (!Array.isArray(backends)) throw wrong("`backends` is not a list");
  const entries = backends.map((entry, index) =>
    readEntry(entry, (problem) => wrong(`backend ${index + 1}: ${problem}`))
  );
  const twice = entries.find(({ name }, index) =>
    entries.findIndex((other) => other.name === name) < index
  );
  if (twice !== undefined) throw wrong(`${twice.name} is there twice`);
  return entries;
}

function readEntry(value: unknown, wrong: (problem: string) => Error): GateEntry {
  if (typeof value !== "object" || value === null) throw wrong("it is not an object");
  const {
    backend,
    kernel,
    params = [],
    lens,
    optional = false,
    onRequest = false,
    cases,
    ...rest
  } = value as Record<string, unknown>;
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw wrong(`nothing is called ${unknown.join(", ")} here`);
  if (typeof optional !== "boolean") throw wrong("`optional` is not true or false");
  if (typeof onRequest !== "boolean") throw wrong("`onRequest` is not true or false");
  if (cases !== undefined && !isPatterns(cases)) {
    throw wrong('`cases` is not a list of patterns as ["paging/"]');
  }
  if (cases !== undefined && onRequest) {
    throw wrong("`cases` is what runs without a request: leave out `onRequest`");
  }
  if (lens !== undefined && !isLensName(lens)) {
    throw wrong(`\`lens\` is ${JSON.stringify(lens)}, not ${lensNames.join(" or ")}`);
  }
  if (backend === "host") {
    if (kernel !== undefined || "params" in value) {
      throw wrong("the host has the kernel that it runs: only labs take `kernel` and `params`");
    }
    const name = lens === undefined ? "host" : `host-${lens}`;
    return { name, backend, params: [], lens, optional, onRequest, cases };
  }
  if (backend !== "svm" && backend !== "vmx") {
    throw wrong(`\`backend\` is ${JSON.stringify(backend)}, not "host", "svm" or "vmx"`);
  }
  if (typeof kernel !== "string" || !/^\d+\.\d+$/.test(kernel)) {
    throw wrong(`\`kernel\` is ${JSON.stringify(kernel)}, not a series as "6.12"`);
  }
  if (!isParams(params)) throw wrong('`params` is not a list as ["npt=0"]');
  const name = runName({ lab: true, backend, kernel, params, lens });
  return { name, backend, kernel, params, lens, optional, onRequest, cases };
}

function isPatterns(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((pattern) => typeof pattern === "string" && pattern !== "");
}

function isParams(value: unknown): value is string[] {
  return Array.isArray(value) &&
    value.every((param) => typeof param === "string" && /^\w+=\w+$/.test(param));
}

/**
 * Chooses backends: those that `--only` names (a name, a backend, or a name with `*`), else all
 * that need no naming.
 *
 * @throws {RangeError} when a name means none of them.
 */
export function chooseBackends<Entry extends { readonly name: string }>(
  entries: readonly Entry[],
  only: readonly string[],
  isDefault: (entry: Entry) => boolean,
): Entry[] {
  if (only.length === 0) return entries.filter(isDefault);
  const matchers = only.map((pattern) => {
    const parts = pattern.split("*").map((part) => part.replace(/[^\w]/g, "\\$&"));
    const matcher = new RegExp(`^${parts.join(".*")}(-|$)`);
    if (!entries.some(({ name }) => matcher.test(name))) {
      throw new RangeError(
        `--only ${pattern}: there is ${entries.map(({ name }) => name).join(", ")}`,
      );
    }
    const exact = entries.filter(({ name }) => name === pattern);
    return (entry: Entry) => exact.length > 0 ? exact.includes(entry) : matcher.test(entry.name);
  });
  return entries.filter((entry) => matchers.some((matches) => matches(entry)));
}
