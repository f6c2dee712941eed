/** A choice of cases in a word short enough for a kernel's command line. */

/**
 * Numbers as text: ranges, as in `0-99,120`, or a bit for each, whichever is shorter.
 *
 * @param numbers in ascending order
 */
export function encodeNumbers(numbers: readonly number[]): string {
  const ranges = encodeRanges(numbers);
  const bits = new Uint8Array(Math.ceil(((numbers.at(-1) ?? -1) + 1) / 8));
  for (const number of numbers) bits[number >> 3] |= 1 << (number & 7);
  const bitmap = `:${bits.toBase64({ alphabet: "base64url", omitPadding: true })}`;
  return ranges.length <= bitmap.length ? ranges : bitmap;
}

function encodeRanges(numbers: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === number - 1) range[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => first === last ? first : `${first}-${last}`).join(",");
}

/** The numbers that {@link encodeNumbers} made the text of. */
export function decodeNumbers(text: string): number[] {
  if (!text.startsWith(":")) return text === "" ? [] : decodeRanges(text);
  const bits = Uint8Array.fromBase64(text.slice(1), { alphabet: "base64url" });
  return Array.from({ length: bits.length * 8 }, (_, number) => number)
    .filter((number) => (bits[number >> 3] >> (number & 7) & 1) === 1);
}

function decodeRanges(text: string): number[] {
  return text.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
