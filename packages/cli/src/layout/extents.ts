import type { Layout, LayoutMember } from '@btfd/btf';

/** Extent is a range of bytes of a struct: a member, a hole or padding. */
export interface Extent {
  readonly kind: 'member' | 'hole' | 'padding';
  /** Bytes from the start of the struct. */
  readonly start: number;
  readonly end: number;
  readonly name: string;
  /** The number of members up to and including this extent. */
  readonly count: number;
}

/**
 * extentsOf returns the outermost members of a struct, its holes and its padding, in order and without overlap. Bitfields
 * that share bytes are one extent, and so are the members of a union.
 */
export function extentsOf({ rows, keyword, name, size }: Layout): Extent[] {
  if (keyword === 'union') return [{ kind: 'member', start: 0, end: size, name: name || 'union', count: 1 }];
  const extents: Omit<Extent, 'count'>[] = [];
  const add = (extent: Omit<Extent, 'count'>): void => {
    const last = extents.at(-1);
    const end = last?.end ?? 0;
    if (extent.start > end) extents.push({ kind: 'hole', start: end, end: extent.start, name: '' });
    if (last === undefined || extent.start >= end) {
      if (extent.end > extent.start) extents.push(extent);
    } else {
      // Bitfields in the same bytes.
      const joined = `${last.name},${extent.name}`;
      extents[extents.length - 1] = { ...last, end: Math.max(end, extent.end), name: joined };
    }
  };
  for (const row of rows) {
    if (row.depth !== 1) continue;
    if (row.row === 'member') add({ kind: 'member', ...bytesOf(row), name: row.name });
    if (row.row === 'close') {
      add({ kind: 'member', start: row.offset, end: row.offset + row.size, name: row.name || '{…}' });
    }
  }
  const end = extents.at(-1)?.end ?? 0;
  if (end < size) extents.push({ kind: 'padding', start: end, end: size, name: '' });
  let count = 0;
  return extents.map(({ kind, start, end: last, name: text }) => {
    if (kind === 'member') count += 1;
    return { kind, start, end: last, name: text, count };
  });
}

/** indexAt returns the index of the first extent that ends after an offset. The extents are in order. */
export function indexAt(extents: readonly Extent[], offset: number): number {
  let [low, high] = [0, extents.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((extents[middle]?.end ?? Infinity) > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

function bytesOf({ offset, size, bitOffset, bitfieldSize }: LayoutMember): { start: number; end: number } {
  if (bitfieldSize === 0) return { start: offset, end: offset + size };
  return {
    start: offset + Math.floor(bitOffset / 8),
    end: offset + Math.ceil((bitOffset + bitfieldSize) / 8),
  };
}
