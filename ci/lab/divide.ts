/**
 * Divides numbers into parts that take about as long as each other.
 *
 * @param weight how long a number takes; what is not known counts as the mean of what is
 * @returns the parts that are not empty, each in ascending order
 */
export function divide(
  numbers: readonly number[],
  parts: number,
  weight: (number: number) => number | undefined,
): number[][] {
  const known = numbers.map(weight).filter((time) => time !== undefined);
  const mean = known.length === 0 ? 1 : known.reduce((sum, time) => sum + time, 0) / known.length;
  const weighted = numbers.map((number) => ({ number, time: weight(number) ?? mean }));
  // The longest first, each to whoever has the least to do.
  weighted.sort((a, b) => b.time - a.time || a.number - b.number);
  const shares = Array.from({ length: parts }, () => ({ time: 0, numbers: [] as number[] }));
  for (const { number, time } of weighted) {
    const least = shares.reduce((a, b) => b.time < a.time ? b : a);
    least.numbers.push(number);
    least.time += time;
  }
  return shares.map(({ numbers }) => numbers.sort((a, b) => a - b))
    .filter((numbers) => numbers.length > 0);
}
