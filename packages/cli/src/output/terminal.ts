import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';

/** Stream is a stream that a command writes to. A terminal also has a size. */
export type Stream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** Io is the part of its process that a command uses. */
export interface Io {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: NodeJS.ProcessEnv;
}

/** COLOR_CHOICES are the values of `--color`. */
export const COLOR_CHOICES = ['auto', 'always', 'never'] as const;

/** ColorChoice is one of {@link COLOR_CHOICES}. */
export type ColorChoice = (typeof COLOR_CHOICES)[number];

/**
 * wantsColor reports whether to write in colour to a stream. With `--color auto` that is so on terminals, unless
 * `NO_COLOR` (https://no-color.org) is set or `TERM` is `dumb`.
 */
export function wantsColor(choice: ColorChoice, stream: Stream, env: NodeJS.ProcessEnv): boolean {
  if (choice !== 'auto') return choice === 'always';
  const refused = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';
  return stream.isTTY === true && !refused && env['TERM'] !== 'dumb';
}

/** columnsOf returns the width of a terminal, and null for other streams. */
export function columnsOf(stream: Stream): number | null {
  return stream.isTTY === true && stream.columns !== undefined && stream.columns > 0 ? stream.columns : null;
}

const STREAMS = [0, 1, 2];

/** terminals returns those of the descriptors 0, 1 and 2 that are terminals. */
export function terminals(): number[] {
  return STREAMS.filter((fd) => isatty(fd));
}

/**
 * endWithTerminal ends this process by SIGHUP if a terminal that it started with is gone. A plain exit makes Node 20 abort
 * with a core file: https://github.com/nodejs/node/pull/58200 fixes that in later versions.
 *
 * @param before the result of {@link terminals} at the start.
 */
export function endWithTerminal(before: readonly number[]): void {
  if (before.every((fd) => isatty(fd))) return;
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

/** drained waits until a stream accepts more data, or is closed. */
export async function drained(stream: Writable): Promise<void> {
  const events = ['drain', 'close', 'error'] as const;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
    if (stream.destroyed) done();
  });
}
