import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
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

const STREAMS = [0, 1, 2];

/** terminals are the descriptors of standard input and output that are terminals. */
export function terminals(): number[] {
  return STREAMS.filter((fd) => isatty(fd));
}

/**
 * endWithTerminal ends this process by SIGHUP where a terminal that it began with is gone. An exit would do, but Node 20
 * aborts at it and leaves a core file: https://github.com/nodejs/node/pull/58200 mends that for later ones.
 *
 * @param before what {@link terminals} told at the start.
 */
export function endWithTerminal(before: readonly number[]): void {
  if (before.every((fd) => isatty(fd))) return;
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}
