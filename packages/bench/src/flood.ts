import { BtfService } from '@btfd/api';
import { connected, streamsBytes } from 'test-tools/raw-frames';
import { Caller, pathOf } from './caller.js';
import { Child } from './child.js';

/** Flood is an attack with streams. */
interface Flood {
  readonly name: string;
  readonly policy?: string;
  readonly path: string;
  readonly reset: boolean;
}

/** Streams count apart from unary calls, so that the other client, which is of the same user, may make its calls. */
const SPEC = pathOf(BtfService.method.spec);
/** Needs no role. */
const HEALTH_CHECK = '/grpc.health.v1.Health/Check';

/** Fewer than the resets after which nghttp2 ends a connection. */
const STREAMS = 990;
/** How long the flood is watched. It sends everything at its beginning. */
const WATCHED_MS = 5_000;

const FLOODS: readonly Flood[] = [
  { name: 'reset, with a role', path: SPEC, reset: true },
  { name: 'reset, without a role', policy: 'defaults: false', path: SPEC, reset: true },
  { name: 'reset, unknown method', path: '/no.Such/Method', reset: true },
  { name: 'open, with a role', path: SPEC, reset: false },
  { name: 'open, without a role', policy: 'defaults: false', path: SPEC, reset: false },
  { name: 'open, unknown method', path: '/no.Such/Method', reset: false },
];

/** measureFloods prints how long clients that open streams without end hold the daemon, and delay another client. */
export async function measureFloods(idle: Child, quick: boolean): Promise<void> {
  const rows: Record<string, Record<string, number>> = {};
  for (const flood of FLOODS) {
    for (const connections of quick ? [2] : [10, 200]) {
      rows[`${flood.name}, ${connections} connections`] = await measure(flood, connections, idle, quick);
    }
  }
  console.log(`
${STREAMS} streams on each connection, sent at once. Times in milliseconds. "held, run": the longest time that the daemon’s
event loop was blocked, as CPU time of its thread. "held max": the same by the clock. "idle max": the same of an idle
process. "p99" and "slowest": the small calls of another client meanwhile. "ended": connections that the daemon ended.
`);
  console.table(rows);
}

async function measure(
  { policy, path, reset }: Flood,
  connections: number,
  idle: Child,
  quick: boolean,
): Promise<Record<string, number>> {
  await using daemon = await Child.start('daemon-child', policy);
  using other = new Caller(daemon.address);
  const request = Buffer.alloc(0);
  // Warms up the code of a call.
  for (let count = 0; count < 50; count++) await other.unaryBytes(HEALTH_CHECK, request);
  const socketPath = daemon.address.replace('unix:', '');
  const sockets = await Promise.all(Array.from({ length: connections }, async () => connected(socketPath)));
  const bytes = streamsBytes({ path, count: STREAMS, reset });
  await Promise.all([daemon.loopDelay(), idle.loopDelay()]);
  for (const socket of sockets) socket.write(bytes);
  const times: number[] = [];
  const end = performance.now() + (quick ? WATCHED_MS / 10 : WATCHED_MS);
  while (performance.now() < end) {
    const asked = performance.now();
    await other.unaryBytes(HEALTH_CHECK, request);
    times.push(performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
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

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
