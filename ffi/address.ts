/**
 * Where a buffer lies in this process, for a structure that holds the address of another.
 *
 * The caller keeps the buffer in use until the kernel is done with it, or it may be collected.
 *
 * @param view not detached
 */
export function addressOf(view: ArrayBufferView<ArrayBuffer>): bigint {
  // Touching `buffer` moves a small typed array off the collector's heap, where it would move.
  if (view.buffer.byteLength === 0) return 0n;
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(view)));
}
