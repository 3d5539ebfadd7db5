import { addon } from './addon.js';
import { SystemCallError } from './errors.js';

/**
 * notify sends one datagram to a unix socket, as programs do that tell systemd how they are. `address` is a path, or
 * a name in the abstract namespace after `@`. Never waits: a socket that is full is `EAGAIN`.
 *
 * @throws SystemCallError: `ENOENT`, `ECONNREFUSED` where nobody listens, `EACCES`, `ENAMETOOLONG`
 */
export function notify(address: string, text: string): void {
  if (typeof address !== 'string') throw new TypeError(`address must be a string, is ${typeof address}`);
  if (typeof text !== 'string') throw new TypeError(`text must be a string, is ${typeof text}`);
  const result = addon().notify(address, text);
  if (result < 0) throw new SystemCallError('sendto', JSON.stringify(address), -result);
}
