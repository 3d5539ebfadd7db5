import type { Colors } from './colors.js';
import { printable } from './safe-text.js';

/** Column describes how a column of a table is written. */
export interface Column {
  readonly heading: string;
  /** Default: left. */
  readonly align?: 'left' | 'right';
  /** Whether it may be cut if the table is wider than the terminal; `last` if all other such columns are cut before. Default: false. */
  readonly shrinks?: boolean | 'last';
  /** The colour of its cells. Default: none. */
  readonly color?: (text: string) => string;
}

/** TableOptions are the options of {@link formatTable}. */
export interface TableOptions {
  /** Columns of the terminal; null for no limit. */
  readonly width: number | null;
  readonly colors: Colors;
}

const GAP = '  ';
/** No column is cut to less than this. */
const MIN_WIDTH = 6;

/** formatTable returns rows under headings, in columns as narrow as their cells, cut to the width of the terminal. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width, colors }: TableOptions,
): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = columns.map(({ heading }, index) =>
    cells.reduce((most, row) => Math.max(most, lengthOf(row[index] ?? '')), heading.length),
  );
  if (width !== null) {
    shrink(columns, widths, width);
    cut(widths, width);
  }
  const line = (row: readonly string[], paint: (column: Column) => (text: string) => string): string => {
    const written = columns.map((column, index) => {
      const cell = clip(row[index] ?? '', widths[index] ?? 0);
      const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - lengthOf(cell)));
      const painted = paint(column)(cell);
      if (column.align === 'right') return padding + painted;
      return index === columns.length - 1 ? painted : painted + padding;
    });
    return written
      .filter((_, index) => widths[index] !== 0)
      .join(GAP)
      .trimEnd();
  };
  const headings = columns.map(({ heading }) => heading);
  return [
    line(headings, () => colors.heading),
    ...cells.map((row) => line(row, ({ color }) => color ?? ((text) => text))),
    '',
  ].join('\n');
}

/** Narrows the widest column that may shrink until the row fits. */
function shrink(columns: readonly Column[], widths: number[], width: number): void {
  const room = width - GAP.length * (columns.length - 1);
  for (let over = widths.reduce((sum, one) => sum + one, 0) - room; over > 0; over--) {
    const widest = widestOf(columns, widths, true) ?? widestOf(columns, widths, 'last');
    if (widest === null) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

/** Returns the index of the widest column that shrinks in this way and may shrink more, or null. */
function widestOf(
  columns: readonly Column[],
  widths: readonly number[],
  shrinks: true | 'last',
): number | null {
  let widest: number | null = null;
  for (const [index, column] of columns.entries()) {
    const own = widths[index] ?? 0;
    if (column.shrinks !== shrinks || own <= MIN_WIDTH) continue;
    if (widest === null || own > (widths[widest] ?? 0)) widest = index;
  }
  return widest;
}

/** Cuts off the columns that still do not fit, as `ps` does: a row that continues in the next line breaks the table. */
function cut(widths: number[], width: number): void {
  let left = width;
  for (const [index, wanted] of widths.entries()) {
    widths[index] = Math.max(0, Math.min(wanted, left));
    left -= wanted + GAP.length;
  }
}

/** clip cuts a text to a width, and ends it with an ellipsis if it is cut. */
export function clip(text: string, width: number): string {
  return lengthOf(text) <= width
    ? text
    : `${Array.from(text)
        .slice(0, Math.max(0, width - 1))
        .join('')}…`;
}

function lengthOf(text: string): number {
  let length = 0;
  for (const character of text) length += character === '' ? 0 : 1;
  return length;
}
