import { fstatSync } from 'node:fs';

/** The priorities of syslog(3), which journald reads from `<N>` at the beginning of a line: sd-daemon(3). */
const PRIORITIES: ReadonlyMap<string, number> = new Map([
  ['fatal', 2],
  ['error', 3],
  ['warn', 4],
  ['info', 6],
]);
const DEBUG = 7;

/**
 * isJournal reports whether journald reads a file descriptor. systemd sets JOURNAL_STREAM to the device and inode of the
 * stream that it connected, and a program that redirects its output has another one: systemd.exec(5).
 */
export function isJournal(fd: number, env: NodeJS.ProcessEnv): boolean {
  const stream = env['JOURNAL_STREAM'];
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    // The descriptor is closed.
    return false;
  }
}

/** withPriority puts the priority of a line of JSON before each line of the text that is written for it. */
export function withPriority(line: string, text: string): string {
  // pino writes the level first.
  const level = /^\{"level":"(?<level>\w+)"/.exec(line)?.groups?.['level'] ?? '';
  const prefix = `<${PRIORITIES.get(level) ?? DEBUG}>`;
  return text.replaceAll(/^(?=[^\n])/gm, prefix);
}
