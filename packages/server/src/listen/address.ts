/** Address is where the daemon listens. */
export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** 107 bytes and a NUL: `sun_path` of unix(7). */
const MAX_SOCKET_PATH_BYTES = 107;

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;

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
  if (host === undefined || port > 65_535) {
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

/** isLoopback says whether only this machine can reach an address. */
export function isLoopback(address: Address): boolean {
  return address.kind === 'unix' || LOOPBACK.test(address.host);
}

function parseUnix(rest: string): Address {
  // `unix:///abs` is the other form that gRPC knows.
  const path = rest.startsWith('//') ? rest.slice(2) : rest;
  if (!path.startsWith('/')) throw new Error(`the path of unix:${rest} is not absolute`);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new Error(`the path of unix:${rest} has more than ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
  return { kind: 'unix', path };
}
