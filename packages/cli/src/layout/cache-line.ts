import type { Colors } from '../output/colors.js';
import { printable } from '../output/safe-text.js';
import { type Extent, indexAt } from './extents.js';

/** CACHE_LINE is the size of a cache line on x86 and arm64, in bytes. */
export const CACHE_LINE = 64;

/**
 * drawBytes draws a part of a struct with a cell for each byte. Members have their names if they fit, holes are ░ and
 * padding is ▒.
 *
 * @param start the offset of the first byte in the struct.
 * @param extents the extents of the whole struct, in order.
 */
export function drawBytes(start: number, length: number, extents: readonly Extent[], colors: Colors): string {
  const end = start + length;
  let drawn = '';
  for (let index = indexAt(extents, start); index < extents.length; index++) {
    const extent = extents[index];
    if (extent === undefined || extent.start >= end) break;
    const cells = Math.min(extent.end, end) - Math.max(extent.start, start);
    drawn += drawExtent(extent, cells, extent.start >= start, colors);
  }
  return drawn;
}

function drawExtent(
  { kind, name, count }: Extent,
  cells: number,
  startsHere: boolean,
  colors: Colors,
): string {
  if (kind === 'hole') return colors.hole('░'.repeat(cells));
  if (kind === 'padding') return colors.faint('▒'.repeat(cells));
  const text = startsHere ? `▏${printable(name)}` : ` ${printable(name)}`;
  const fitting = Array.from(text).slice(0, cells).join('').padEnd(cells, '·');
  return colors.cells[count % 2 === 1 ? 0 : 1](fitting);
}
