import { libc } from "../../ffi/libc.ts";
import type { GuestMemory } from "../kvm/memory.ts";
import type { ExpectedTrace, Memory } from "../trace/event.ts";

/** Mappings above this many bytes are not watched: comparing them would take longer than the case. */
const WATCHED_SIZE = 16 << 20;
/** At most so many changed bytes of one run are shown. */
const SHOWN_BYTES = 64;

type Bytes = Uint8Array<ArrayBuffer>;

interface Watched {
  readonly now: Bytes;
  readonly before: Bytes;
  /** Guest physical address of the mapping's first byte, by the slot that last covered it. */
  guestAddress: bigint;
}

/**
 * The memory that a guest must leave as it found it, but for what its trace names.
 *
 * What is watched is the host memory behind the slots, so that a write counts whichever slot it
 * came through and whatever became of the slot.
 */
export class MemoryFrame {
  readonly #memory: GuestMemory;
  readonly #watched = new Map<ArrayBuffer, Watched>();

  /** Nothing is watched before {@link watch}. */
  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /** Watches what has come behind a slot since the last call, as it is now. */
  watch(): void {
    for (const { guestAddress, bytes } of this.#memory.slots()) {
      const first = guestAddress - BigInt(bytes.byteOffset);
      const known = this.#watched.get(bytes.buffer);
      if (known !== undefined) {
        known.guestAddress = first;
      } else if (bytes.buffer.byteLength <= WATCHED_SIZE) {
        const now = new Uint8Array(bytes.buffer);
        this.#watched.set(bytes.buffer, { now, before: now.slice(), guestAddress: first });
      }
    }
  }

  /** Writes guest memory as a part of what the guest finds. */
  write(guestAddress: bigint, content: Uint8Array): void {
    const bytes = this.#memory.bytes(guestAddress, content.length);
    bytes.set(content);
    this.#watched.get(bytes.buffer)?.before.set(content, bytes.byteOffset);
  }

  /**
   * The memory lines of the final state: each range that the trace names, and each change that it
   * does not.
   */
  lines(expected: ExpectedTrace): Memory[] {
    const lines: Memory[] = [];
    const declared = new Map<ArrayBuffer, [start: number, end: number][]>();
    for (const line of expected) {
      if (line.kind !== "memory") continue;
      const count = Array.isArray(line.value) ? line.value.length : 1;
      let bytes: Bytes;
      try {
        bytes = this.#memory.bytes(line.address, count * line.size);
      } catch {
        // No slot is there any more: the line stays missing.
        continue;
      }
      const values = elements(bytes, line.size);
      const { address, size } = line;
      const value = Array.isArray(line.value) ? values : values[0];
      lines.push({ kind: "memory", address, size, value });
      const ranges = declared.get(bytes.buffer) ?? [];
      declared.set(bytes.buffer, ranges);
      ranges.push([bytes.byteOffset, bytes.byteOffset + bytes.length]);
    }
    for (const [buffer, watched] of this.#watched) {
      if (buffer.byteLength === 0 || same(watched.now, watched.before)) continue;
      for (const [start, end] of changes(watched, declared.get(buffer) ?? [])) {
        lines.push({
          kind: "memory",
          address: watched.guestAddress + BigInt(start),
          size: 1,
          value: elements(watched.now.subarray(start, Math.min(end, start + SHOWN_BYTES)), 1),
        });
      }
    }
    return lines;
  }
}

function same(a: Bytes, b: Bytes): boolean {
  return libc().memcmp(a, b, BigInt(a.length)) === 0;
}

/** The runs of bytes that changed outside the declared ranges. */
function changes(
  { now, before }: Watched,
  declared: readonly [start: number, end: number][],
): [start: number, end: number][] {
  const words = new Int32Array(now.buffer);
  const wordsBefore = new Int32Array(before.buffer);
  const runs: [number, number][] = [];
  for (let word = 0; word < words.length; word++) {
    if (words[word] === wordsBefore[word]) continue;
    for (let at = word * 4; at < word * 4 + 4; at++) {
      if (now[at] === before[at]) continue;
      if (declared.some(([start, end]) => at >= start && at < end)) continue;
      const last = runs.at(-1);
      if (last !== undefined && last[1] === at) last[1] = at + 1;
      else runs.push([at, at + 1]);
    }
  }
  return runs;
}

function elements(bytes: Uint8Array, size: number): bigint[] {
  const values: bigint[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    let value = 0n;
    for (let byte = size - 1; byte >= 0; byte--) value = value << 8n | BigInt(bytes[at + byte]);
    values.push(value);
  }
  return values;
}
