import { counted } from '../output/numbers.js';
import type { Cell, Row } from './judge-all.js';
import { kernelText, numbered, overallWord } from './words.js';

/** KernelColumn is the heading of a kernel. */
export interface KernelColumn {
  /** Its SPEC. */
  readonly label: string;
  /** Its SPEC, and its release if that is known. */
  readonly text: string;
}

/** columnsOf returns the kernels of a matrix. */
export function columnsOf(rows: readonly Row[]): KernelColumn[] {
  return (rows[0]?.cells ?? []).map(({ kernel: { label } }, column) => {
    const report = rows.map(({ cells }) => cells[column]?.report).find((one) => one !== null);
    return { label, text: kernelText(label, report) };
  });
}

/** cellWord returns the word for a result. */
export function cellWord({ report }: Cell): string {
  return report === null ? 'error' : overallWord(report.verdict);
}

/** An object that does not fit one kernel does not fit, whatever is known about the others. */
const WORDS = ['fails', 'at risk', 'error', 'unknown', 'fits'];

/** totalText counts the objects by their worst results: `3 objects on 2 kernels: 1 fails, 2 fit`. */
export function totalText(rows: readonly Row[]): string {
  const worst = rows.map(
    ({ cells }) => WORDS.find((word) => cells.some((cell) => cellWord(cell) === word)) ?? '',
  );
  const parts = WORDS.flatMap((word) => {
    const number = worst.filter((one) => one === word).length;
    return number === 0 ? [] : [numbered(number, word)];
  });
  return `${counted(rows.length, 'object')} on ${counted(rows[0]?.cells.length ?? 0, 'kernel')}: ${parts.join(', ')}`;
}

/** Section is what is said about some objects. */
export interface Section {
  /** The names of the objects. */
  readonly names: readonly string[];
  readonly text: string;
}

/** sectionsOf returns a text about each object, and none for empty texts. Objects with the same text share it. */
export function sectionsOf<R extends Pick<Row, 'file'>>(
  rows: readonly R[],
  textOf: (row: R) => string,
): Section[] {
  const names = new Map<string, string[]>();
  for (const row of rows) {
    const text = textOf(row);
    const same = names.get(text) ?? [];
    names.set(text, same);
    same.push(row.file.name);
  }
  names.delete('');
  return [...names].map(([text, own]) => ({ names: own, text }));
}
