import { BlockList, isIP, isIPv6 } from 'node:net';

/** Address is where the daemon listens. */
export type Address = UnixAddress | TcpAddress;

/** UnixAddress is the path of a unix socket. */
export interface UnixAddress extends Inherited {
  readonly kind: 'unix';
  readonly path: string;
}

/** TcpAddress is a host, by name or IP address, and a port; 0 lets the kernel choose one. */
export interface TcpAddress extends Inherited {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

interface Inherited {
  /** The file descriptor of the socket, where the service manager made it and listens already. */
  readonly fd?: number;
}

/**
 * `sun_path` of unix(7) has 107 bytes and a NUL. The socket is made under its name with a dot and a
 * process id, which has at most seven digits, and renamed.
 */
const MAX_SOCKET_PATH_BYTES = 107 - 8;

/**
 * parseAddress reads `unix:PATH` or `HOST:PORT`, with an IPv6 host in brackets.
 *
 * @throws Error that says what is wrong with it.
 */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:')) return parseUnix(text.slice('unix:'.length));
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:[\]/]+)):(?<port>\d{1,5})$/.exec(text);
  const host = match?.groups?.['v6'] ?? match?.groups?.['host'];
  const port = Number(match?.groups?.['port']);
  const isHost = match?.groups?.['v6'] === undefined || isIPv6(match.groups['v6']);
  if (host === undefined || !isHost || port > 65_535) {
    throw new Error(`${JSON.stringify(text)} is no address: write unix:PATH or HOST:PORT`);
  }
  return { kind: 'tcp', host, port };
}

/** formatAddress writes an address as gRPC clients take it. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** isLoopback says whether only this machine can reach an address. Of names it takes `localhost` at its word. */
export function isLoopback(address: Address): boolean {
  if (address.kind === 'unix') return true;
  const { host } = address;
  return host === 'localhost' || isLoopbackIp(host);
}

/** isLoopbackIp says whether an IP address is one of this machine's alone. */
export function isLoopbackIp(ip: string): boolean {
  return isIP(ip) !== 0 && LOOPBACK.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4');
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function parseUnix(rest: string): Address {
  // `unix:///abs` is the other form that gRPC knows.
  const path = rest.startsWith('//') ? rest.slice(2) : rest;
  if (!path.startsWith('/')) throw new Error(`the path of unix:${rest} is not absolute`);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new Error(`the path of unix:${rest} has more than ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
  return { kind: 'unix', path };
}
