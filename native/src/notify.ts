import { addon } from './addon.js';
import { checkString } from './arguments.js';
import { SystemCallError } from './errors.js';

/**
 * notify sends one datagram to a unix socket, as services do that report their state to systemd. It never waits. Needs
 * no privilege, only permission to write to the socket. Modelled on sd_notify(3).
 *
 * @param address - a path, or `@` and a name in the abstract namespace
 * @throws SystemCallError `ENOENT` or `ECONNREFUSED` if nobody listens at the address.
 * @throws SystemCallError `EACCES` if the socket may not be written to.
 * @throws SystemCallError `EAGAIN` if the socket is full.
 * @throws SystemCallError `EPROTOTYPE` if it is not a datagram socket.
 * @throws SystemCallError `ENAMETOOLONG` if the address is too long.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError if an argument is not a string.
 */
export function notify(address: string, text: string): void {
  checkString('address', address);
  checkString('text', text);
  const result = addon().notify(address, text);
  if (result < 0) throw new SystemCallError('sendto', JSON.stringify(address), -result);
}
