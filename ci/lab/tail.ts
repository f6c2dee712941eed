/** How often a growing file is looked at, in milliseconds. */
const INTERVAL = 15;

/**
 * What a process appends to a file, until the process has ended and all of it was read.
 *
 * An emulator writes a serial port byte by byte: through a file, what gathers is read at once.
 *
 * @param path a file that is there
 * @param ended resolves when nothing more will be written
 */
export function tail(
  path: string,
  ended: Promise<unknown>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const file = Deno.openSync(path);
  const buffer = new Uint8Array(65536);
  let timer: ReturnType<typeof setInterval> | undefined;
  let over = false;
  const close = () => {
    clearInterval(timer);
    if (!over) file.close();
    over = true;
  };
  return new ReadableStream({
    start(controller) {
      const drain = () => {
        for (let count = 1; !over && (count = file.readSync(buffer) ?? 0) > 0;) {
          controller.enqueue(buffer.slice(0, count));
        }
      };
      timer = setInterval(drain, INTERVAL);
      ended.then(() => {
        if (over) return;
        drain();
        close();
        controller.close();
      });
    },
    cancel: close,
  });
}
