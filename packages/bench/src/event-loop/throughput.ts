import { BtfService } from '@btfd/api';
import { Caller, encode, pathOf } from './caller.js';
import type { Child } from './child.js';

/** PEER_UNARY and PEER_STREAM are the methods of the bare grpc-js server to which the daemon is compared. */
export const PEER_UNARY = '/bench.Peer/Unary';
export const PEER_STREAM = '/bench.Peer/Stream';

/** PEER_CHUNK_BYTES is the size of the daemon's chunks. */
export const PEER_CHUNK_BYTES = 256 * 1024;
/** PEER_CHUNKS is the number of chunks of a stream. The vmlinux of Linux 6.18 has as many. */
export const PEER_CHUNKS = 22;

const methods = BtfService.method;
const IN_FLIGHT = 32;
const MIB = 1024 * 1024;

/** measureThroughput prints the throughput and latency of the daemon, and their ratio to bare grpc-js in the same run. */
export async function measureThroughput(daemon: Child, peer: Child, quick: boolean): Promise<void> {
  using ours = new Caller(daemon.address);
  using theirs = new Caller(peer.address);
  const calls = quick ? 300 : 5_000;
  const streams = quick ? 5 : 50;
  const source = { case: 'name', value: 'vmlinux' } as const;
  const resolve = encode(methods.resolveMembers.input, { source, paths: ['task_struct.mm'] });
  const info = encode(methods.getServerInfo.input, {});
  const spec = encode(methods.spec.input, { source });
  const rows: Record<string, Record<string, number>> = {};
  const compare = (name: string, own: number, bare: number): void => {
    rows[name] = { btfd: round(own), 'grpc-js': round(bare), ratio: round(own / bare) };
  };
  const bareUnary = async (): Promise<unknown> => theirs.unaryBytes(PEER_UNARY, info);
  for (const [name, ownUnary] of [
    ['GetServerInfo', async () => ours.unaryBytes(pathOf(methods.getServerInfo), info)],
    ['ResolveMembers', async () => ours.unaryBytes(pathOf(methods.resolveMembers), resolve)],
  ] as const) {
    for (const one of [ownUnary, bareUnary]) await latency(one, calls / 5);
    compare(`${name}: median latency, ms`, await latency(ownUnary, calls), await latency(bareUnary, calls));
    compare(
      `${name}: calls/s, ${IN_FLIGHT} at once`,
      await rate(ownUnary, calls),
      await rate(bareUnary, calls),
    );
  }
  const own = async (): Promise<number> => ours.drain(pathOf(methods.spec), spec);
  const bare = async (): Promise<number> => theirs.drain(PEER_STREAM, info);
  await own();
  compare('Spec, whole RAW: MiB/s', await volume(own, streams), await volume(bare, streams));
  console.log(
    `\nThe daemon, and bare grpc-js with responses ready in memory (${PEER_CHUNKS} chunks of ${PEER_CHUNK_BYTES / 1024} KiB).\n`,
  );
  console.table(rows);
}

async function latency(call: () => Promise<unknown>, count: number): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[count >> 1] ?? 0;
}

async function rate(call: () => Promise<unknown>, count: number): Promise<number> {
  const started = performance.now();
  let left = count;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  return (count * 1000) / (performance.now() - started);
}

async function volume(stream: () => Promise<number>, count: number): Promise<number> {
  const started = performance.now();
  let bytes = 0;
  for (let index = 0; index < count; index++) bytes += await stream();
  return (bytes / MIB) * (1000 / (performance.now() - started));
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
