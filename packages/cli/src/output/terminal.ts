import type { Writable } from 'node:stream';

/** Stream is where a command writes: a terminal tells how large it is. */
export type Stream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** Io is what a command has of its process. */
export interface Io {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: NodeJS.ProcessEnv;
}

/** ColorChoice is what `--color` can say. */
export const COLOR_CHOICES = ['auto', 'always', 'never'] as const;

/** ColorChoice is one of {@link COLOR_CHOICES}. */
export type ColorChoice = (typeof COLOR_CHOICES)[number];

/**
 * wantsColor tells whether to write a stream in colour: as `--color` says; else on terminals, unless `NO_COLOR`
 * (https://no-color.org) or `TERM=dumb` says otherwise.
 */
export function wantsColor(choice: ColorChoice, stream: Stream, env: NodeJS.ProcessEnv): boolean {
  if (choice !== 'auto') return choice === 'always';
  const refused = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';
  return stream.isTTY === true && !refused && env['TERM'] !== 'dumb';
}

/** columnsOf is the width of a terminal, or null for what is none. */
export function columnsOf(stream: Stream): number | null {
  return stream.isTTY === true && stream.columns !== undefined && stream.columns > 0 ? stream.columns : null;
}

/**
 * printable makes a name harmless for a terminal: names in BTF of a file can be anything, also what a terminal
 * takes for a command.
 */
export function printable(text: string): string {
  // Controls, and what turns the direction of writing.
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');
}

/** printableText is {@link printable} for text of many lines, whose line breaks and tabs stay. */
export function printableText(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');
}
