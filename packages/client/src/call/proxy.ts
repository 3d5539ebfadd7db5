import type { ClientRequest } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { status } from '@grpc/grpc-js';
import { BtfError, clientError } from '../error/btf-error.js';
import { NO_REASON } from '../error/plain-failure.js';
import { hostOf } from './address.js';

/** The variables that name a proxy, in the order in which grpc-js looks at them. */
const VARIABLES = ['grpc_proxy', 'https_proxy', 'http_proxy'] as const;

/** How long {@link whyProxyFails} waits for a proxy. It may be far away, but a user waits for the error. */
const PROXY_TIMEOUT_MS = 2_000;

/** Proxy is the HTTP proxy through which grpc-js connects to a daemon, because the environment names it. */
export interface Proxy {
  /** Its host and port. */
  readonly address: string;
  /** The environment variable that names it. */
  readonly variable: string;
}

/** isLoopback reports whether an address is on this machine. No proxy can connect to it. */
export function isLoopback(address: string): boolean {
  const host = hostOf(address);
  // The first call of isIP takes milliseconds.
  if (host === null) return false;
  return host === 'localhost' || (isIP(host) !== 0 && loopback().check(host, isIPv6(host) ? 'ipv6' : 'ipv4'));
}

function loopback(): BlockList {
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addAddress('::1', 'ipv6');
  return list;
}

/**
 * proxyOf returns the proxy that a channel uses.
 *
 * @param address the address of the daemon.
 * @param target the target of the channel, which grpc-js replaces by the proxy.
 */
export function proxyOf(address: string, target: string): Proxy | null {
  if (target.endsWith(address)) return null;
  const variable = VARIABLES.find((name) => (process.env[name] ?? '') !== '');
  return variable === undefined ? null : { address: target.replace(/^dns:/, ''), variable };
}

/**
 * throughProxy returns the error for a daemon that cannot be reached through a proxy.
 *
 * @param why the reason, as {@link whyProxyFails} returns it. Default: that of grpc-js, if it has one.
 */
export function throughProxy(address: string, proxy: Proxy, cause: BtfError, why?: string): BtfError {
  const known = cause.rawMessage === NO_REASON ? 'it does not connect' : cause.rawMessage;
  const message = `the daemon at ${address} cannot be reached through the proxy ${nameOf(proxy)}: ${why ?? known}`;
  return clientError('UNREACHABLE', message, { cause });
}

/** lateThroughProxy adds to the error of a call that the proxy did not connect before the deadline. */
export function lateThroughProxy(error: BtfError, proxy: Proxy): BtfError {
  if (error.code !== status.DEADLINE_EXCEEDED) return error;
  const message = `${error.rawMessage}; the proxy ${nameOf(proxy)} has not connected to the daemon`;
  return new BtfError({ code: error.code, reason: null, message, cause: error });
}

function nameOf({ address, variable }: Proxy): string {
  return `${address} of ${variable}`;
}

/**
 * whyProxyFails asks a proxy once more to connect to a daemon, because grpc-js does not report why it failed.
 *
 * @param signals end the wait.
 * @returns null if the proxy connects now.
 */
export async function whyProxyFails(
  { address, variable }: Proxy,
  daemon: string,
  signals: readonly (AbortSignal | undefined)[],
): Promise<string | null> {
  const timeout = AbortSignal.timeout(PROXY_TIMEOUT_MS);
  const ends = [timeout, ...signals.filter((signal) => signal !== undefined)];
  const path = daemon.replace(/^dns:(?:\/\/[^/]*\/)?/, '');
  const url = `http://${address}`;
  const headers = { Host: path, ...authorization(process.env[variable] ?? '') };
  const options = { method: 'CONNECT', path, headers, agent: false, signal: AbortSignal.any(ends) };
  // Imported here, because few programs need it, and since Node 22 it takes as long as the rest of the client.
  const { request } = await import('node:http');
  return new Promise((resolve) => {
    let asked: ClientRequest;
    try {
      asked = request(url, options);
    } catch (error) {
      resolve(String(error));
      return;
    }
    asked.once('connect', ({ statusCode }, socket) => {
      socket.destroy();
      resolve(statusCode === 200 ? null : `it refused to connect, with status ${statusCode}`);
    });
    asked.once('error', (error) => {
      resolve(timeout.aborted ? `it has not connected within ${PROXY_TIMEOUT_MS / 1000} s` : error.message);
    });
    asked.end();
  });
}

/** Returns the header with the user and the password in the URL of a proxy. */
function authorization(proxy: string): { 'Proxy-Authorization'?: string } {
  const { username, password } = URL.canParse(proxy) ? new URL(proxy) : { username: '', password: '' };
  if (username === '') return {};
  const user = password === '' ? username : decodeURIComponent(`${username}:${password}`);
  return { 'Proxy-Authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}
