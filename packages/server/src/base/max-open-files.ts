import { readFileSync } from 'node:fs';

/**
 * maxOpenFiles returns how many files this process may open, or null if the kernel does not say: in a container without
 * /proc. Node has raised the soft limit to the hard one.
 *
 * @param limits - the text of /proc/self/limits
 */
export function maxOpenFiles(limits: string | null = readLimits()): number | null {
  const allowed = /^Max open files +(\d+)/m.exec(limits ?? '')?.[1];
  return allowed === undefined ? null : Number(allowed);
}

function readLimits(): string | null {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return null;
  }
}
