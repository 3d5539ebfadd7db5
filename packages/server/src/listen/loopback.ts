import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { formatAddress, isLoopbackIp, type Address } from '../base/address.js';

/**
 * onLoopback is an address of loopback with the IP address that its name stands for: to listen on the name would be to
 * trust whoever says what it stands for, as a container's `/etc/hosts` or a name server.
 *
 * @throws Error if the name stands for something else.
 */
export async function onLoopback(
  address: Address,
  lookup: (host: string) => Promise<{ readonly address: string }> = systemLookup,
): Promise<Address> {
  if (address.kind === 'unix' || isIP(address.host) !== 0) return address;
  const { address: ip } = await lookup(address.host);
  if (isLoopbackIp(ip)) return { ...address, host: ip };
  throw new Error(
    `${formatAddress(address)} stands for ${ip}, which is not loopback: without TLS nothing else is allowed`,
  );
}
