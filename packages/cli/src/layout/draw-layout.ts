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

/** Columns of offsets and sizes. Only structs of a million bytes need more. */
const MIN_OFFSET = 8;
const MIN_SIZE = 7;

/** No type is cut to less than this. */
const MIN_TYPE = 4;

/** Drawing is how one layout is drawn. */
interface Drawing extends DrawOptions {
  /** Columns of the offsets. */
  readonly offset: number;
  /** Columns of the sizes. */
  readonly size: number;
}

/**
 * drawLayout draws a struct or union by cache line: its bytes as cells, and below them the members that start there.
 *
 * @param showId whether to show its type id, for structs of the same name.
 */
export function drawLayout(layout: Layout, options: DrawOptions, showId = false): string {
  const { colors } = options;
  const drawing = drawingOf(layout, options);
  const cells = cellsIn(drawing);
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
          `${grouped(start).padStart(drawing.offset)} ⋮ ${grouped(whole.lines)} cache lines of ${printable(whole.name)}`,
        ),
      );
      line += whole.lines - 1;
      continue;
    }
    for (let at = start; at < Math.min(start + CACHE_LINE, Math.max(layout.size, start + 1)); at += cells) {
      const offset = grouped(at).padStart(drawing.offset);
      lines.push(`${colors.heading(offset)} ${drawBytes(at, cells, extents, colors)}`);
    }
    for (const row of rows) lines.push(rowLine(row, drawing));
    if (line < lineCount - 1) lines.push('');
  }
  return `${lines.join('\n')}\n`;
}

/** Returns how to draw a layout: its columns are as wide as the longest offset and size need. */
function drawingOf({ rows, size }: Layout, options: DrawOptions): Drawing {
  const drawing = { ...options, offset: Math.max(MIN_OFFSET, grouped(size).length), size: MIN_SIZE };
  for (const row of rows) {
    drawing.offset = Math.max(drawing.offset, offsetOf(row).length);
    drawing.size = Math.max(drawing.size, sizeOf(row).length);
  }
  return drawing;
}

/** Returns the cells of a line. A narrow terminal shows a cache line in two or four lines. */
function cellsIn({ width, offset }: Drawing): number {
  const room = width === null ? CACHE_LINE : width - offset - 1;
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

function rowLine(row: LayoutRow, drawing: Drawing): string {
  const { colors } = drawing;
  const start = placed(row, drawing);
  switch (row.row) {
    case 'member':
      return start + declaration(row, drawing);
    case 'open':
      return `${start}${printable(row.type)} {`;
    case 'close':
      return `${start}} ${colors.name(printable(row.name))}`.trimEnd();
    case 'hole':
    case 'padding': {
      const { bytes, bits } = row;
      const parts = [
        ...(bits > 0 ? [counted(bits, 'bit')] : []),
        ...(bytes > 0 ? [counted(bytes, 'byte')] : []),
      ];
      const [mark, paint] = row.row === 'hole' ? ['░', colors.bad] : ['▒', colors.faint];
      return start + paint(`${mark} ${row.row} of ${parts.join(' and ')}`);
    }
  }
}

/** Returns offset and size of a row, and the indentation of its level. */
function placed(row: LayoutRow, { offset, size }: Drawing): string {
  return `${offsetOf(row).padStart(offset)} ${sizeOf(row).padStart(size)}  ${indent(row.depth)}`;
}

/** Returns the offset of a row; empty if it has none of its own. */
function offsetOf(row: LayoutRow): string {
  if (row.row === 'close') return '';
  return row.row === 'member'
    ? offsetText(row.offset * 8 + row.bitOffset, row.bitfieldSize > 0)
    : grouped(row.offset);
}

/** Returns the size of a member; empty for other rows. */
function sizeOf(row: LayoutRow): string {
  if (row.row === 'open') return grouped(row.size);
  if (row.row !== 'member') return '';
  return row.bitfieldSize > 0 ? counted(row.bitfieldSize, 'bit') : grouped(row.size);
}

/** Returns the C declaration of a member with its name in colour. On a narrow terminal, its type is cut. */
function declaration({ name, type, depth, ...row }: LayoutMember, drawing: Drawing): string {
  const { width, colors, offset, size } = drawing;
  const at = row.declaration.indexOf(name, commonLength(type, row.declaration));
  const left = printable(row.declaration.slice(0, at));
  const right = printable(row.declaration.slice(at + name.length));
  const shownName = printable(name);
  const room =
    width === null ? Infinity : width - (offset + 1 + size + 2) - indent(depth).length - shownName.length;
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
