const folder = new URL("../../ci/baselines/", import.meta.url);

/** Name of the file with the known failures of a lab: `svm-6.12.json`, `svm-6.12-npt=0.json`. */
export function labBaselineName(
  backend: string,
  series: string,
  parameters: readonly string[],
): string {
  return `${[backend, series, ...[...parameters].sort()].join("-")}.json`;
}

/**
 * The baseline of a lab among the project's; where its kernel series has none, that of the newest
 * series before it.
 */
export function labBaseline(
  backend: string,
  series: string,
  parameters: readonly string[],
): URL | undefined {
  const [prefix, suffix] = labBaselineName(backend, "/", parameters).split("/");
  const known = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
    .map((name) => name.slice(prefix.length, name.length - suffix.length))
    .filter((name) => /^\d+\.\d+$/.test(name) && compareSeries(name, series) <= 0)
    .sort(compareSeries);
  const nearest = known.at(-1);
  if (nearest === undefined) return;
  return new URL(encodeURIComponent(labBaselineName(backend, nearest, parameters)), folder);
}

function compareSeries(a: string, b: string): number {
  const [majorA, minorA] = a.split(".").map(Number);
  const [majorB, minorB] = b.split(".").map(Number);
  return majorA - majorB || minorA - minorB;
}
