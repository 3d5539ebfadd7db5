import { constants } from 'node:os';

import { checkInteger, MAX_UINT32 } from './arguments.js';
import { BpfError, type BpfCommand } from './errors.js';

/** nextId is the id that a command gives for `after`, null at the end of the kernel's list. */
export function nextId(command: BpfCommand, after: number, call: (after: number) => number): number | null {
  checkInteger('after', after, 0, MAX_UINT32);
  const next = call(after);
  if (next === -constants.errno.ENOENT) return null;
  if (next < 0) throw new BpfError(command, -next, `ids after ${after}`, null);
  return next;
}
