import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Address is an address on which the daemon listens. */
export type Address = UnixAddress | TcpAddress;

/** UnixAddress is the path of a unix socket. */
export interface UnixAddress extends Inherited {
  readonly kind: 'unix';
  readonly path: string;
}

/** TcpAddress is a host, by name or IP address, and a port. With port 0 the kernel chooses one. */
export interface TcpAddress extends Inherited {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

interface Inherited {
  /** The file descriptor of the socket, if the service manager made it and already listens on it. */
  readonly fd?: number;
}

/**
 * `sun_path` of unix(7) has 107 bytes and a NUL. The socket is created under its name with a dot and the process id,
 * which has at most seven digits, and then renamed.
 */
const MAX_SOCKET_PATH_BYTES = 107 - 8;

/**
 * parseAddress reads `unix:PATH` or `HOST:PORT`, with an IPv6 host in brackets.
 *
 * @throws Error if the text is not an address, or the path is too long for a socket.
 */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:')) return parseUnix(text.slice('unix:'.length));
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:[\]/]+)):(?<port>\d{1,5})$/.exec(text);
  const host = match?.groups?.['v6'] ?? match?.groups?.['host'];
  const port = Number(match?.groups?.['port']);
  const isHost = match?.groups?.['v6'] === undefined || isIPv6(match.groups['v6']);
  if (host === undefined || !isHost || port > 65_535) {
    throw new Error(`invalid address ${JSON.stringify(text)}: use unix:PATH or HOST:PORT`);
  }
  return { kind: 'tcp', host, port };
}

/** formatAddress returns an address in the form that gRPC clients take. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** isLoopback reports whether only this machine can reach an address. It trusts the name `localhost`. */
export function isLoopback(address: Address): boolean {
  if (address.kind === 'unix') return true;
  const { host } = address;
  return host === 'localhost' || isLoopbackIp(host);
}

/** isLoopbackIp reports whether an IP address is a loopback address. */
export function isLoopbackIp(ip: string): boolean {
  // In this order, because Node compiles its pattern of IPv6 addresses when it first needs it, which takes milliseconds.
  if (isIPv4(ip)) return LOOPBACK.check(ip, 'ipv4');
  return isIPv6(ip) && LOOPBACK.check(ip, 'ipv6');
}

/**
 * whyRefused returns why the daemon must not listen on an address, or null. TCP needs TLS, or both loopback and
 * `--insecure`.
 */
export function whyRefused(
  address: Address,
  { tls, insecure }: { readonly tls: boolean; readonly insecure: boolean },
): string | null {
  if (address.kind === 'unix' || tls) return null;
  const where = formatAddress(address);
  if (!insecure) return `${where} has no TLS: any local user could connect; allow it with --insecure`;
  return isLoopback(address) ? null : `${where} is not loopback: without TLS nothing else is allowed`;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function parseUnix(rest: string): Address {
  // gRPC also accepts `unix:///abs`.
  const path = rest.startsWith('//') ? rest.slice(2) : rest;
  if (!path.startsWith('/')) throw new Error(`the path of unix:${rest} is not absolute`);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new Error(`the path of unix:${rest} has more than ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
  return { kind: 'unix', path };
}
