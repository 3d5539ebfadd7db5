import type { Layout, LayoutMember, LayoutRow } from '@btfd/btf';
import type { Colors } from '../output/colors.js';
import { printable } from '../output/safe-text.js';
import { counted, grouped, offsetText } from '../output/numbers.js';
import { clip } from '../output/table.js';
import { CACHE_LINE, drawBytes } from './cache-line.js';
import { type Extent, extentsOf, indexAt } from './extents.js';

/** DrawOptions are the options of {@link drawLayout}. */
export interface DrawOptions {
  /** Columns of the terminal; null for no limit. */
  readonly width: number | null;
  readonly colors: Colors;
}

/** Columns of the offset before a picture. */
const OFFSET_COLUMNS = 8 + 1;

/** Columns of offset and size, before the type. */
const PLACE_COLUMNS = 8 + 1 + 7 + 2;

/** No type is cut to less than this. */
const MIN_TYPE = 4;

/**
 * drawLayout draws a struct or union by cache line: its bytes as cells, and below them the members that start there.
 *
 * @param showId whether to show its type id, for structs of the same name.
 */
export function drawLayout(layout: Layout, options: DrawOptions, showId = false): string {
  const { colors, width } = options;
  const cells = cellsIn(width);
  const extents = extentsOf(layout);
  const lines: string[] = [title(layout, colors, showId), ''];
  const rowsByLine = rowsOf(layout);
  const lineCount = Math.max(1, Math.ceil(layout.size / CACHE_LINE));
  for (let line = 0; line < lineCount; line++) {
    const rows = rowsByLine.get(line) ?? [];
    const start = line * CACHE_LINE;
    const whole = rows.length > 0 ? null : wholeLines(start, extents, rowsByLine, lineCount);
    if (whole !== null && whole.lines > 1) {
      lines.push(
        colors.faint(
          `${grouped(start).padStart(8)} ⋮ ${grouped(whole.lines)} cache lines of ${printable(whole.name)}`,
        ),
      );
      line += whole.lines - 1;
      continue;
    }
    for (let at = start; at < Math.min(start + CACHE_LINE, Math.max(layout.size, start + 1)); at += cells) {
      lines.push(`${colors.heading(grouped(at).padStart(8))} ${drawBytes(at, cells, extents, colors)}`);
    }
    for (const row of rows) lines.push(...rowLines(row, options));
    if (line < lineCount - 1) lines.push('');
  }
  return `${lines.join('\n')}\n`;
}

/** Returns the cells of a line. A narrow terminal shows a cache line in two or four lines. */
function cellsIn(width: number | null): number {
  const room = width === null ? CACHE_LINE : width - OFFSET_COLUMNS;
  return [CACHE_LINE, CACHE_LINE / 2].find((cells) => cells <= room) ?? CACHE_LINE / 4;
}

function title(layout: Layout, colors: Colors, showId: boolean): string {
  const { keyword, name, typeId, size, memberCount, ...sums } = layout;
  const { holes, holeBytes, bitHoles, padding } = sums;
  const lines = Math.ceil(size / CACHE_LINE);
  const facts = [
    counted(size, 'byte'),
    counted(lines, 'cache line'),
    counted(memberCount, 'member'),
    ...(holes > 0 ? [colors.bad(holesOf(holes, holeBytes))] : []),
    ...(bitHoles > 0 ? [counted(bitHoles, 'bit hole')] : []),
    ...(padding > 0 ? [`${counted(padding, 'byte')} of padding`] : []),
  ];
  const shown = `${keyword} ${name === '' ? '(anonymous)' : printable(name)}`;
  return `${colors.strong(shown)}${showId ? ` (type id ${typeId})` : ''}  ${facts.join(', ')}`;
}

function holesOf(holes: number, bytes: number): string {
  return `${counted(holes, 'hole')} of ${counted(bytes, 'byte')}${holes === 1 ? '' : ' in all'}`;
}

/** Returns the rows by the cache line in which they start. The end of an anonymous type follows its last member. */
function rowsOf({ rows }: Layout): ReadonlyMap<number, readonly LayoutRow[]> {
  const byLine = new Map<number, LayoutRow[]>();
  let last = 0;
  for (const row of rows) {
    // Members of a union start where the union does, and are listed with it.
    last = row.row === 'close' ? last : Math.max(last, Math.floor(row.offset / CACHE_LINE));
    const there = byLine.get(last);
    if (there === undefined) byLine.set(last, [row]);
    else there.push(row);
  }
  return byLine;
}

/** Returns the number of whole cache lines from `start` on within one member; null if the first is not. */
function wholeLines(
  start: number,
  extents: readonly Extent[],
  rowsByLine: ReadonlyMap<number, readonly LayoutRow[]>,
  lineCount: number,
): { readonly name: string; readonly lines: number } | null {
  const extent = extents[indexAt(extents, start)];
  if (extent === undefined || extent.end < start + CACHE_LINE) return null;
  const first = start / CACHE_LINE;
  let lines = 0;
  while (
    first + lines < lineCount &&
    extent.end >= start + (lines + 1) * CACHE_LINE &&
    !rowsByLine.has(first + lines)
  ) {
    lines += 1;
  }
  return { name: extent.name || extent.kind, lines };
}

function rowLines(row: LayoutRow, options: DrawOptions): string[] {
  const { colors } = options;
  switch (row.row) {
    case 'member': {
      const bits = row.bitfieldSize > 0;
      const offset = offsetText(row.offset * 8 + row.bitOffset, bits);
      const size = bits ? counted(row.bitfieldSize, 'bit') : grouped(row.size);
      return [placed(offset, size, row.depth) + declaration(row, options)];
    }
    case 'open':
      return [`${placed(grouped(row.offset), grouped(row.size), row.depth)}${printable(row.type)} {`];
    case 'close':
      return [`${placed('', '', row.depth)}} ${colors.name(printable(row.name))}`.trimEnd()];
    case 'hole':
    case 'padding': {
      const { bytes, bits } = row;
      const parts = [
        ...(bits > 0 ? [counted(bits, 'bit')] : []),
        ...(bytes > 0 ? [counted(bytes, 'byte')] : []),
      ];
      const [mark, paint] = row.row === 'hole' ? ['░', colors.bad] : ['▒', colors.faint];
      return [
        placed(grouped(row.offset), '', row.depth) + paint(`${mark} ${row.row} of ${parts.join(' and ')}`),
      ];
    }
  }
}

/** Returns offset and size, and the indentation of the level. */
function placed(offset: string, size: string, depth: number): string {
  return `${offset.padStart(8)} ${size.padStart(7)}  ${indent(depth)}`;
}

/** Returns the C declaration of a member with its name in colour. On a narrow terminal, its type is cut. */
function declaration({ name, type, depth, ...row }: LayoutMember, { width, colors }: DrawOptions): string {
  const at = row.declaration.indexOf(name, commonLength(type, row.declaration));
  const left = printable(row.declaration.slice(0, at));
  const right = printable(row.declaration.slice(at + name.length));
  const shownName = printable(name);
  const room = width === null ? Infinity : width - PLACE_COLUMNS - indent(depth).length - shownName.length;
  const shownRight = clip(right, Math.max(1, room - Math.min(left.length, MIN_TYPE)));
  const shownLeft = clip(left, Math.max(MIN_TYPE, room - shownRight.length));
  return shownLeft + colors.name(shownName) + shownRight;
}

/** Returns the length of the common start of a type and a declaration of it. The name follows. */
function commonLength(type: string, text: string): number {
  let length = 0;
  while (length < type.length && type[length] === text[length]) length += 1;
  return length;
}

function indent(depth: number): string {
  return '  '.repeat(depth - 1);
}
