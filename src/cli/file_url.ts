/** The URL of a file named on the command line, whatever characters its path has. */
export function fileUrl(path: string): URL {
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return new URL(`file://${absolute.split("/").map(encodeURIComponent).join("/")}`);
}

/** A file relative to the folder of the project, where it lies in it. */
export function shortPath(url: string): string {
  const root = new URL("../../", import.meta.url).href;
  return url.startsWith(root) ? url.slice(root.length) : decodeURIComponent(new URL(url).pathname);
}
