import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { Holdings } from './holdings.js';
import { mixedLoad, type Outcomes } from './mixed-load.js';
import { until } from './until.js';

const PROGRAM = fileURLToPath(new URL('../../dist/testing/faulty-daemon.js', import.meta.url));
const CLIENTS = 8;
/** One call in fifty fails. */
const FAULT_RATE = 0.02;
/** How what the load asks may end: as asked, as the faults say, or as its clients wanted. */
const ALLOWED: ReadonlySet<string> = new Set(
  [
    status.OK,
    status.CANCELLED,
    status.DEADLINE_EXCEEDED,
    // EMFILE, ENOMEM and a race that is lost; EINTR and EAGAIN, which BTF commands do not give.
    status.RESOURCE_EXHAUSTED,
    status.NOT_FOUND,
    status.INTERNAL,
    status.INVALID_ARGUMENT,
  ].map((code) => status[code]),
);
/** Room for what V8 and caches keep once they are warm. */
const HEAP_ROOM_BYTES = 24 * 1024 * 1024;

/** Soaked is what a soak found. */
export interface Soaked {
  readonly outcomes: Outcomes;
  readonly before: Holdings;
  readonly after: Holdings;
}

/**
 * soak asks so many operations of a daemon whose kernel fails at random, and expects that it holds nothing more at the
 * end. It counts operations and not seconds, so that a busy machine tries as much as an idle one.
 */
export async function soak(operations: number): Promise<Soaked> {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-soak-'));
  const socket = join(dir, 'btfd.sock');
  const seed = String(Date.now() % 1_000_000);
  const child = spawn(process.execPath, ['--expose-gc', PROGRAM, socket, String(FAULT_RATE), seed], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    await lines.next();
    const address = `unix:${socket}`;
    // So that caches, code and connections are there.
    await mixedLoad(address, { operations: Math.min(1_000, operations / 3), clients: CLIENTS });
    const before = await idle(child, lines);
    const outcomes = await mixedLoad(address, { operations, clients: CLIENTS });
    const after = await idle(child, lines);
    const bad = [...outcomes.keys()].filter((key) => !isAllowed(key));
    expect({ bad, seed }).toEqual({ bad: [], seed });
    expect(after.faults - before.faults).toBeGreaterThan(operations / 30);
    expect(after).toMatchObject({ handles: 0, kernelFds: 0, inUse: 0 });
    // grpc-js keeps connections of clients that were closed for the next ones.
    expect(after.connections).toBeLessThanOrEqual(CLIENTS);
    expect(after.timers).toBeLessThanOrEqual(before.timers);
    expect(after.heapBytes - before.heapBytes).toBeLessThan(HEAP_ROOM_BYTES);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    return { outcomes, before, after };
  } finally {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A client that goes ends its own calls. */
function isAllowed(key: string): boolean {
  return key === 'a client that goes UNAVAILABLE' || ALLOWED.has(key.slice(key.lastIndexOf(' ') + 1));
}

/** What the daemon holds once the leases that were left behind have ended. */
async function idle(child: ChildProcess, lines: AsyncIterator<string>): Promise<Holdings> {
  let holdings = await tell(child, lines);
  await until(
    'nothing is held',
    async () => {
      await setTimeout(500);
      holdings = await tell(child, lines);
      return holdings.handles + holdings.kernelFds + holdings.inUse === 0;
    },
    30_000,
  );
  return holdings;
}

async function tell(child: ChildProcess, lines: AsyncIterator<string>): Promise<Holdings> {
  child.kill('SIGUSR2');
  const { value } = await lines.next();
  return JSON.parse(String(value));
}
