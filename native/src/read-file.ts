import { addon } from './addon.js';
import { checkBytes, checkInteger, MAX_FD } from './arguments.js';
import { SystemCallError } from './errors.js';

/**
 * readFile fills bytes from the beginning of an open file, for files of sysfs. It returns how many bytes it has got:
 * fewer than there is room for only at the end of the file. Needs no privilege except the open file.
 *
 * It runs on the calling thread, because files of sysfs never wait. read(2) returns one page of them at a time, which
 * takes Node 2 to 60 ms for a vmlinux. Where the kernel allows it, this function copies from a mapping instead: that of
 * vmlinux since Linux 6.16. The bytes are always a copy: a write into a mapping would end the process.
 *
 * @throws SystemCallError if the file cannot be read, for example `EBADF`.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `fd` is not an integer from 0 to 2^31 - 1, or `bytes` is not a Uint8Array.
 */
export function readFile(fd: number, bytes: Uint8Array): number {
  checkInteger('fd', fd, 0, MAX_FD);
  checkBytes('bytes', bytes);
  const result = addon().readFile(fd, bytes);
  if (result < 0) throw new SystemCallError('read', `fd ${fd}`, -result);
  return result;
}
