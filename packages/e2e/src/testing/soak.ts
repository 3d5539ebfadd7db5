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
/** The share of kernel calls that fail: one in fifty. */
const FAULT_RATE = 0.02;
/** The statuses with which calls may end: with success, by a fault, or by the client. */
const ALLOWED: ReadonlySet<string> = new Set(
  [
    status.OK,
    status.CANCELLED,
    status.DEADLINE_EXCEEDED,
    // EMFILE and ENOMEM, a lost race, and EINTR and EAGAIN, with which BTF commands do not fail.
    status.RESOURCE_EXHAUSTED,
    status.NOT_FOUND,
    status.INTERNAL,
    status.INVALID_ARGUMENT,
  ].map((code) => status[code]),
);
/** The heap that V8 and caches may keep after they are warm. */
const HEAP_ROOM_BYTES = 24 * 1024 * 1024;

/** Soaked is the result of a soak. */
export interface Soaked {
  readonly outcomes: Outcomes;
  readonly before: Holdings;
  readonly after: Holdings;
}

/**
 * soak makes a number of operations on a daemon whose kernel fails at random, and expects that the daemon holds no more
 * at the end. It counts operations instead of seconds, so that a busy machine tries as many as an idle one.
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
    // Warms up caches, code and connections.
    await mixedLoad(address, { operations: Math.min(1_000, operations / 3), clients: CLIENTS });
    const before = await idle(child, lines);
    const outcomes = await mixedLoad(address, { operations, clients: CLIENTS });
    const after = await idle(child, lines);
    const bad = [...outcomes.keys()].filter((key) => !isAllowed(key));
    expect({ bad, seed }).toEqual({ bad: [], seed });
    expect(after.faults - before.faults).toBeGreaterThan(operations / 30);
    expect(after).toMatchObject({ handles: 0, kernelFds: 0, inUse: 0 });
    // grpc-js keeps the connections of closed clients for the next ones.
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

/** Whether calls may end this way. A client that closes ends its own calls with UNAVAILABLE. */
function isAllowed(key: string): boolean {
  return key === 'a client that goes UNAVAILABLE' || ALLOWED.has(key.slice(key.lastIndexOf(' ') + 1));
}

/** Returns the holdings of the daemon after the abandoned leases have ended. */
async function idle(child: ChildProcess, lines: AsyncIterator<string>): Promise<Holdings> {
  let holdings = await tell(child, lines);
  await until('nothing is held', async () => {
    await setTimeout(500);
    holdings = await tell(child, lines);
    return holdings.handles + holdings.kernelFds + holdings.inUse === 0;
  });
  return holdings;
}

async function tell(child: ChildProcess, lines: AsyncIterator<string>): Promise<Holdings> {
  child.kill('SIGUSR2');
  const { value } = await lines.next();
  return JSON.parse(String(value));
}
