import { connect, type Socket } from 'node:net';
import { BtfError, status } from '@btfd/client';
import { MAX_TIMER_MS, orAborted } from '../base/bounded.js';

/** The variables by which grpc-js finds a proxy. Nodes are reached through it. */
const PROXY_VARIABLES = ['grpc_proxy', 'https_proxy', 'http_proxy'];

/** The meaning of codes of the system for a connection. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  ETIMEDOUT: 'connection timed out',
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'its name cannot be resolved now',
  ENOENT: 'there is no such socket',
  EACCES: 'permission denied',
};

/**
 * reachNode connects to an address and closes the connection again. grpc-js would continue to connect to a silent address for
 * minutes, also after its channel is closed, and each attempt has a socket.
 *
 * @throws BtfError UNREACHABLE if there is no connection in time.
 * @throws the reason of the signal if it aborts.
 */
export async function reachNode(address: string, ms: number, signal: AbortSignal): Promise<void> {
  if (PROXY_VARIABLES.some((name) => (process.env[name] ?? '') !== '')) return;
  const socket = open(address);
  try {
    await orAborted(connected(socket, address, ms), signal);
  } finally {
    socket.destroy();
  }
}

/** unreached returns the error for a node that cannot be connected to. Without a cause, its time was over. */
export function unreached(address: string, why: string, cause?: unknown): BtfError {
  const message = `cannot connect to ${address}: ${why}`;
  return new BtfError({ code: status.UNAVAILABLE, reason: 'UNREACHABLE', message, cause });
}

function open(address: string): Socket {
  const path = /^unix:(?:\/\/)?(\/.*)$/.exec(address)?.[1];
  if (path !== undefined) return connect({ path });
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  return connect({ host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) });
}

async function connected(socket: Socket, address: string, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => reject(unreached(address, why, cause));
    const late = (): void => fail(`no connection within ${ms} ms`);
    const timer = setTimeout(late, Math.min(ms, MAX_TIMER_MS));
    socket.once('close', () => clearTimeout(timer));
    socket.once('connect', resolve);
    socket.once('error', (error) => fail(wordsOf(String(Object(error).code)), error));
  });
}

function wordsOf(code: string): string {
  const words = WORDS[code];
  return words === undefined ? code : `${words} (${code})`;
}
