/** PackedMember is a member, or a run of bitfields, whose place in a struct may change. */
export interface PackedMember {
  /** Bytes. */
  readonly size: number;
  /** Bytes: a power of two. */
  readonly alignment: number;
}

/** Maximum number of gaps to fill. Only a struct with many bitfields or aligned members has more than a few. */
const MAX_GAPS = 64;

/**
 * packedSize returns the bytes that members take in the best order, without the room that the alignment of the struct needs
 * after them. It puts the members with the largest alignment first, and others into the first gap that they fit in.
 */
export function packedSize(members: readonly PackedMember[]): number {
  const gaps: { from: number; readonly to: number }[] = [];
  let end = 0;
  for (const { size, alignment } of members.toSorted(
    (a, b) => b.alignment - a.alignment || b.size - a.size,
  )) {
    const gap = gaps.find(({ from, to }) => aligned(from, alignment) + size <= to);
    if (gap !== undefined) {
      const start = aligned(gap.from, alignment);
      if (start > gap.from && gaps.length < MAX_GAPS) gaps.push({ from: gap.from, to: start });
      gap.from = start + size;
      continue;
    }
    const start = aligned(end, alignment);
    if (start > end && gaps.length < MAX_GAPS) gaps.push({ from: end, to: start });
    end = start + size;
  }
  return end;
}

/** aligned returns the first multiple of an alignment that is not less than a number of bytes. */
export function aligned(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
