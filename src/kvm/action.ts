import { SystemCallError } from "../../ffi/errno.ts";

/** One operand of an action: a word, a number, or `key=value`. */
export type ActionOperand = string | number | bigint | readonly [string, number | bigint | string];

/** Something the host did to a guest, and what the kernel answered: a trace's `>` line. */
export interface HostAction {
  /** What was done, such as `"slot"` or `"interrupt"`. */
  readonly name: string;
  /** What it was done with. */
  readonly operands: readonly ActionOperand[];
  /** The name of the errno when it failed, or what it gave back. */
  readonly answer?: string | bigint | readonly bigint[];
}

/** Called with every action on a VM and its vCPUs, after the kernel has answered. */
export type ActionObserver = (action: HostAction) => void;

/** A place where an observer may be set; a VM shares its own with its vCPUs. */
export interface Observed {
  /** Called with every action; none by default. */
  observer?: ActionObserver;
}

/**
 * Does `body` and reports it as an action, also when it fails.
 *
 * @param answer gives the part of the result that the trace shows, if any
 */
export function act<T>(
  observed: Observed,
  name: string,
  operands: readonly ActionOperand[],
  body: () => T,
  answer?: (result: T) => HostAction["answer"],
): T {
  const { observer } = observed;
  if (observer === undefined) return body();
  let result: T;
  try {
    result = body();
  } catch (error) {
    if (error instanceof SystemCallError) observer({ name, operands, answer: error.code });
    throw error;
  }
  observer({ name, operands, answer: answer?.(result) });
  return result;
}
