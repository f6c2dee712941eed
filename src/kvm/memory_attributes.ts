/** Attributes of guest physical memory, which KVM takes and does not tell (KVM API 4.141). */

/** A range whose pages all have the same attributes. */
export interface AttributeRange {
  /** Guest physical address of its first byte. */
  readonly address: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** KVM_MEMORY_ATTRIBUTE_*. */
  readonly attributes: bigint;
}

/** The ranges that have attributes, once a range was given new ones; those of 0 are none. */
export function withAttributes(
  ranges: readonly AttributeRange[],
  given: AttributeRange,
): AttributeRange[] {
  const end = given.address + given.size;
  const rest = ranges.flatMap((range) => {
    const before = { ...range, size: smaller(range.size, given.address - range.address) };
    const from = larger(range.address, end);
    const behind = { ...range, address: from, size: range.address + range.size - from };
    return [before, behind].filter(({ size }) => size > 0n);
  });
  return (given.attributes === 0n ? rest : [...rest, given])
    .sort((a, b) => a.address < b.address ? -1 : 1);
}

/** Whether a range of guest physical memory has a page with one of the attributes. */
export function hasAttributes(
  ranges: readonly AttributeRange[],
  address: bigint,
  size: bigint,
  attributes: bigint,
): boolean {
  return ranges.some((range) =>
    (range.attributes & attributes) !== 0n && range.address < address + size &&
    address < range.address + range.size
  );
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
