import type { Rejection } from '@btfd/client';
import type { Colors } from './colors.js';
import { printableText } from './safe-text.js';
import { grouped } from './numbers.js';

/** The last lines of a log have the reason. The lines before them are the types that the kernel accepted. */
const LAST_LINES = 10;

/** RefusalOptions are the options of {@link refusalText}. */
export interface RefusalOptions {
  readonly colors: Colors;
  /** Whether to return the whole log, as for a file. A terminal shows only its last lines. */
  readonly isWhole: boolean;
}

/** refusalText returns that the kernel refused the BTF of a file, and its log. */
export function refusalText(path: string, { errnoName, log }: Rejection, options: RefusalOptions): string {
  const { colors, isWhole } = options;
  const lines = printableText(log.text.trimEnd()).split('\n');
  const shown = isWhole ? lines : lines.slice(-LAST_LINES);
  const left = lines.length - shown.length;
  const notes = [
    ...(log.truncated ? ['(the beginning of the log is missing)'] : []),
    ...(left === 0 ? [] : [`(${grouped(left)} lines before these: --log prints them)`]),
  ];
  const text = [...notes.map(colors.faint), ...shown].join('\n');
  return `${path}: ${colors.bad('BTF refused')} with ${errnoName}\n${text}${text === '' ? '' : '\n'}`;
}
