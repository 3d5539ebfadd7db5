import { isatty } from 'node:tty';

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
