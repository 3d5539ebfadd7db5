import { readdirSync, readFileSync } from 'node:fs';
import { errorCode } from '../error/error-code.js';

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

/** spareFiles returns how many more files this process may open, as far as the kernel says. */
export function spareFiles(): number {
  try {
    // One of them is that of the folder.
    return (maxOpenFiles() ?? Infinity) - readdirSync('/proc/self/fd').length + 1;
  } catch (error) {
    return errorCode(error) === 'EMFILE' || errorCode(error) === 'ENFILE' ? 0 : Infinity;
  }
}

function readLimits(): string | null {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return null;
  }
}
