import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { BtfService } from '@btfd/api';
import { CLIENT_NAME, initCertificates, type CertificateFiles } from '@btfd/server/certs';
import { connected, streamsBytes } from 'test-tools/raw-frames';
import { Caller, pathOf } from './caller.js';
import { Child } from './child.js';

/** Flood is an attack with streams. */
interface Flood {
  readonly name: string;
  readonly policy?: string;
  readonly path: string;
  readonly reset: boolean;
  /** Streams on each connection. Default: STREAMS. */
  readonly streams?: number;
  /** The client certificate of connections over TCP with TLS. Default: a unix socket. */
  readonly certificate?: 'known' | 'none';
  /** How often each connection is closed and made again. Each time it sends everything. */
  readonly reconnects?: number;
}

/** Streams count apart from unary calls, so that the other client, which is of the same user, may make its calls. */
const SPEC = pathOf(BtfService.method.spec);
/** Needs no role. */
const HEALTH_CHECK = '/grpc.health.v1.Health/Check';

/** Fewer than the resets after which nghttp2 ends a connection. */
const STREAMS = 990;
/** How long the flood is watched. It sends everything at its beginning. */
const WATCHED_MS = 5_000;

/** The client of TLS may read. */
const VIEWER = `viewers: [uri:${CLIENT_NAME}]\n`;

const FLOODS: readonly Flood[] = [
  { name: 'reset, with a role', path: SPEC, reset: true },
  { name: 'reset, without a role', policy: 'defaults: false', path: SPEC, reset: true },
  { name: 'reset, unknown method', path: '/no.Such/Method', reset: true },
  { name: 'open, with a role', path: SPEC, reset: false },
  { name: 'open, without a role', policy: 'defaults: false', path: SPEC, reset: false },
  { name: 'open, unknown method', path: '/no.Such/Method', reset: false },
  { name: 'open and close the connection, again and again', path: SPEC, reset: false, reconnects: 9 },
  { name: 'TLS, handshakes only', path: SPEC, reset: false, certificate: 'known', streams: 0 },
  { name: 'TLS, reset, with a role', path: SPEC, reset: true, certificate: 'known' },
  { name: 'TLS, open, with a role', path: SPEC, reset: false, certificate: 'known' },
  { name: 'TLS, reset, no certificate', path: SPEC, reset: true, certificate: 'none' },
  { name: 'TLS, open, no certificate', path: SPEC, reset: false, certificate: 'none' },
];

/** measureFloods prints how long clients that open streams without end hold the daemon, and delay another client. */
export async function measureFloods(idle: Child, quick: boolean): Promise<void> {
  const rows: Record<string, Record<string, number>> = {};
  const dir = mkdtempSync(join(tmpdir(), 'btfd-bench-'));
  try {
    const files = await initCertificates(join(dir, 'certs'));
    for (const flood of FLOODS) {
      for (const connections of quick ? [2] : [10, 200]) {
        rows[`${flood.name}, ${connections} connections`] = await measure(flood, connections, files, {
          idle,
          quick,
        });
      }
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  console.log(`
${STREAMS} streams on each connection, sent at once. Times in milliseconds. "held, run": the longest time that the daemon’s
event loop was blocked, as CPU time of its thread. "held max": the same by the clock. "idle max": the same of an idle
process. "p99" and "slowest": the small calls of another client meanwhile. "ended": connections that are closed at the end.
The times of TLS include the handshakes, which all begin at once.
`);
  console.table(rows);
}

async function measure(
  flood: Flood,
  connections: number,
  files: CertificateFiles,
  { idle, quick }: { readonly idle: Child; readonly quick: boolean },
): Promise<Record<string, number>> {
  const { certificate, policy = '' } = flood;
  await using daemon = await Child.start(
    'daemon-child',
    certificate === undefined ? { policy } : { policy: VIEWER, tls: files },
  );
  using other = new Caller(daemon.address);
  const request = Buffer.alloc(0);
  // Warms up the code of a call.
  for (let count = 0; count < 50; count++) await other.unaryBytes(HEALTH_CHECK, request);
  const connect = connector(daemon, flood, files);
  // Connections of a unix socket are not part of the attack.
  const early = certificate === undefined ? await connectAll(connections, connect) : null;
  await Promise.all([daemon.loopDelay(), idle.loopDelay()]);
  const attack = floodWith(flood, connections, connect, early);
  const times: number[] = [];
  const end = performance.now() + (quick ? WATCHED_MS / 10 : WATCHED_MS);
  while (performance.now() < end) {
    const asked = performance.now();
    await other.unaryBytes(HEALTH_CHECK, request);
    times.push(performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const sockets = await attack;
  const [held, control] = await Promise.all([daemon.loopDelay(), idle.loopDelay()]);
  const ended = sockets.filter(({ closed }) => closed).length;
  for (const socket of sockets) socket.destroy();
  times.sort((a, b) => a - b);
  return {
    'held, run': round(held.maxRun),
    'held max': round(held.max),
    'idle max': round(control.max),
    p99: round(times[Math.floor(times.length * 0.99)] ?? 0),
    slowest: round(times.at(-1) ?? 0),
    ended,
  };
}

/** Sends the streams on every connection, and returns the sockets that were the last. */
async function floodWith(
  { path, reset, streams = STREAMS, reconnects = 0 }: Flood,
  connections: number,
  connect: () => Promise<Socket>,
  early: readonly Socket[] | null,
): Promise<readonly Socket[]> {
  const bytes = streamsBytes({ path, count: streams, reset });
  let sockets = early ?? (await connectAll(connections, connect));
  for (const socket of sockets) socket.write(bytes);
  for (let count = 0; count < reconnects; count++) {
    sockets = await Promise.all(
      sockets.map(async (socket) => {
        // After everything was sent.
        socket.destroySoon();
        if (!socket.closed) await once(socket, 'close');
        const next = await connect();
        next.write(bytes);
        return next;
      }),
    );
  }
  return sockets;
}

async function connectAll(count: number, connect: () => Promise<Socket>): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, connect));
}

function connector(
  { address, port }: Child,
  { certificate }: Flood,
  { clientCert, clientKey }: CertificateFiles,
): () => Promise<Socket> {
  if (certificate === undefined || port === null)
    return async () => connectedAtLast(address.replace('unix:', ''));
  const keys =
    certificate === 'known' ? { cert: readFileSync(clientCert), key: readFileSync(clientKey) } : {};
  return async () => {
    // The attacker does not care who serves.
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      ...keys,
    });
    socket.on('error', () => {}).resume();
    await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]);
    return socket;
  };
}

/** Connects to a unix socket, also if so many connections wait to be accepted that the kernel refuses more with EAGAIN. */
async function connectedAtLast(path: string): Promise<Socket> {
  for (;;) {
    try {
      return await connected(path);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
