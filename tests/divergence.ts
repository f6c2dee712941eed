import { formatLine } from "../src/trace/format.ts";
import type { Divergence } from "../src/trace/script.ts";

/** A divergence in short: reason, index and line of what was expected and of what came. */
export function short(
  { reason, expected, expectedIndex, actual, actualIndex }: Divergence,
): string {
  const line = (index: number, text?: string) =>
    text === undefined ? `${index}` : `${index} ${text}`;
  const promised = line(expectedIndex, expected && formatLine(expected));
  return `${reason}: ${promised} / ${line(actualIndex, actual && formatLine(actual))}`;
}
