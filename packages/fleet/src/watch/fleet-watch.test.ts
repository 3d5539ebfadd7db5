import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { BtfFleet } from '../fleet.js';
import { Pace } from '../pace/pace.js';
import type { FleetNode, NodeSource } from '../source/node-source.js';
import { staticNodes } from '../source/static-nodes.js';
import { NodeMemory } from '../survey/known-node.js';
import { NodeClients } from '../survey/node-client.js';
import { type FakeNode, Fakes } from '../testing/fakes.js';
import { OPTIONS } from '../testing/fleets.js';
import { MODULE, NEW_KERNEL, OLD_KERNEL } from '../testing/kernels.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { FleetChange } from './fleet-change.js';
import { FleetWatch } from './fleet-watch.js';

const INTERVAL = 60_000;
const SETTLE = 500;

/** Returns a change in short. */
function shortOf(change: FleetChange): string {
  switch (change.kind) {
    case 'node-appeared':
    case 'node-changed':
      return `${change.kind} ${change.name} ${change.outcome.kind}`;
    case 'node-left':
      return `${change.kind} ${change.name}`;
    case 'build-appeared':
    case 'build-left':
      return `${change.kind} ${change.name}`;
    case 'synced':
      return `synced ${change.nodes} ${change.builds}`;
    default:
      return `${change.kind} ${change.error.message}`;
  }
}

/** A source whose nodes and hints a test changes. */
class ChangingSource implements NodeSource {
  readonly description = 'the test';
  nodes: readonly FleetNode[];
  error: Error | null = null;
  lists = 0;
  hint: (error?: Error) => void = () => {};

  constructor(...nodes: readonly FleetNode[]) {
    this.nodes = nodes;
  }

  async list(): Promise<readonly FleetNode[]> {
    this.lists += 1;
    if (this.error !== null) throw this.error;
    return this.nodes;
  }

  /** Ignores its signal. */
  async *changes(): AsyncGenerator<void, void, undefined> {
    for (;;) {
      const error = await new Promise<Error | undefined>((resolve) => (this.hint = resolve));
      if (error !== undefined) throw error;
      yield;
    }
  }
}

/** A watch with a clock that a test moves. */
class Watched implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly leaving = new AbortController();
  readonly #changes: AsyncGenerator<FleetChange, void, undefined>;

  constructor(source: NodeSource, modules = false) {
    const context = {
      source,
      pace: new Pace(8, { delaySince: () => 0 }),
      loop: { lostSince: () => 0 },
      memory: new NodeMemory(),
      memoryUse: 'all' as const,
      clients: new NodeClients({}),
      connectTimeout: 60_000,
      timeout: 60_000,
    };
    const follow = async (work: Promise<void>): Promise<void> => work;
    const options = { interval: INTERVAL, modules, clock: this.clock, follow };
    this.#changes = new FleetWatch(context, options).changes(this.leaving.signal);
  }

  /** Returns the next changes, in any order. */
  async next(count: number): Promise<string[]> {
    const found: string[] = [];
    while (found.length < count) {
      const { value } = await this.#changes.next();
      if (value !== undefined) found.push(shortOf(value));
    }
    return found.toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changes.return();
  }
}

/** Waits until a node has answered a number of calls. */
async function hasCalls({ daemon }: FakeNode, count: number): Promise<void> {
  while (daemon.calls.filter(({ state }) => state !== 'running').length < count) await setTimeout(5);
}

describe('A watch', () => {
  test('reports all nodes, then those that stop, return and run another build', async () => {
    await using fakes = new Fakes();
    const [a, b] = [await fakes.start('a', OLD_KERNEL), await fakes.start('b', NEW_KERNEL)];
    // The name of a node without one in the source is that of its daemon, also when that does not respond.
    await using watched = new Watched(staticNodes([a, b.address]));
    expect(await watched.next(5)).toEqual([
      'build-appeared a',
      'build-appeared b',
      'node-appeared a answered',
      'node-appeared b answered',
      'synced 2 2',
    ]);
    await b.daemon.stop();
    const gone = watched.next(1);
    await watched.clock.end(INTERVAL);
    expect(await gone).toEqual(['node-changed b unreachable']);
    await using other = new Fakes();
    await other.start('b', OLD_KERNEL, {}, { listen: b.address });
    const back = watched.next(2);
    await watched.clock.end(INTERVAL);
    expect(await back).toEqual(['build-left b', 'node-changed b answered']);
    await hasCalls(a, 3);
    // A call without digests says that it is the same run.
    const digests = a.daemon.callsOf('getServerInfo').map(({ request }) => request.details.length);
    expect(digests).toEqual([1, 0, 0]);
  });

  test('asks only new nodes when the source hints at changes', async () => {
    await using fakes = new Fakes();
    const [a, b, c] = [
      await fakes.start('a', OLD_KERNEL),
      await fakes.start('b', OLD_KERNEL),
      await fakes.start('c', NEW_KERNEL),
    ];
    const source = new ChangingSource(a, b);
    await using watched = new Watched(source);
    await watched.next(4);
    const next = watched.next(3);
    source.nodes = [b, c];
    // Hints in quick succession are one.
    for (let count = 0; count < 3; count++) {
      source.hint();
      await setTimeout(0);
    }
    await watched.clock.end(SETTLE);
    expect(await next).toEqual(['build-appeared c', 'node-appeared c answered', 'node-left a']);
    expect([a, b, c].map(({ daemon }) => daemon.calls.length)).toEqual([1, 1, 1]);
    const last = watched.next(3);
    source.nodes = [];
    source.hint();
    await watched.clock.end(SETTLE);
    // The last node of a build takes it along.
    expect(await last).toEqual(['build-left b', 'node-left b', 'node-left c']);
  });

  test.each([
    [true, ['build-appeared a', 'build-left a', 'node-changed a answered']],
    [false, ['node-changed a unreachable']],
  ])('reports other modules only on request: %s', async (modules, expected) => {
    await using fakes = new Fakes();
    const a = await fakes.start('a', NEW_KERNEL);
    await using watched = new Watched(staticNodes([a]), modules);
    expect(await watched.next(3)).toContain('synced 1 1');
    a.daemon.addObject({ name: 'm', btf: MODULE });
    const next = watched.next(expected.length);
    await watched.clock.end(INTERVAL);
    if (!modules) {
      await watched.clock.waiting(INTERVAL);
      await a.daemon.stop();
      await watched.clock.end(INTERVAL);
    }
    expect(await next).toEqual(expected);
  });

  test('continues when the source fails, and reports that once', async () => {
    await using fakes = new Fakes();
    const a = await fakes.start('a', NEW_KERNEL);
    const source = new ChangingSource();
    source.error = new Error('no source');
    await using watched = new Watched(source);
    expect(await watched.next(1)).toEqual(['source-failed no source']);
    const first = watched.next(3);
    for (const pause of [1_000, 2_000, 4_000]) await watched.clock.end(pause);
    while (source.lists < 4) await setTimeout(1);
    source.error = null;
    source.nodes = [a];
    await watched.clock.end(8_000);
    expect(await first).toContain('synced 1 1');
    // The nodes of the last list are still asked.
    source.error = new Error('lost');
    const lost = watched.next(2);
    await a.daemon.stop();
    await watched.clock.end(INTERVAL);
    expect(await lost).toEqual(['node-changed a unreachable', 'source-failed lost']);
    const again = watched.next(1);
    source.error = null;
    await watched.clock.end(1_000);
    expect(await again).toEqual(['synced 1 1']);
  });

  test('follows the changes of the source again after they have failed', async () => {
    await using fakes = new Fakes();
    const a = await fakes.start('a', NEW_KERNEL);
    const source = new ChangingSource(a);
    await using watched = new Watched(source);
    await watched.next(3);
    const failed = watched.next(1);
    source.hint(new Error('cut off'));
    expect(await failed).toEqual(['source-failed cut off']);
    const left = watched.next(2);
    await watched.clock.end(1_000);
    source.nodes = [];
    source.hint();
    await watched.clock.end(SETTLE);
    expect(await left).toEqual(['build-left a', 'node-left a']);
  });

  test('of which nobody reads asks no node', async () => {
    await using fakes = new Fakes();
    const [a, b] = [await fakes.start('a', NEW_KERNEL), await fakes.start('b', OLD_KERNEL)];
    const source = new ChangingSource(a, b);
    await using watched = new Watched(source);
    await watched.next(5);
    const next = watched.next(1);
    await b.daemon.stop();
    await watched.clock.end(INTERVAL);
    expect(await next).toEqual(['node-changed b unreachable']);
    await hasCalls(a, 2);
    for (let count = 0; count < 100; count++) {
      source.hint();
      await setTimeout(1);
    }
    expect([a.daemon.calls.length, source.lists]).toEqual([2, 2]);
  });

  test('ends when its signal aborts, also while it waits', async () => {
    await using fakes = new Fakes();
    await using watched = new Watched(new ChangingSource(await fakes.start('a', NEW_KERNEL)));
    await watched.next(3);
    const next = watched.next(1);
    const reason = new Error('enough');
    watched.leaving.abort(reason);
    await expect(next).rejects.toBe(reason);
  });
});

describe('A watch of a fleet', () => {
  test('ends when the fleet is closed, also if nobody reads', async () => {
    await using fakes = new Fakes();
    const fleet = new BtfFleet(new ChangingSource(await fakes.start('a', NEW_KERNEL)), OPTIONS);
    const read = fleet.watch();
    expect((await read.next()).value).toMatchObject({ kind: 'node-appeared' });
    const waiting = fleet.watch({ interval: 10 });
    for (let count = 0; count < 3; count++) await waiting.next();
    const next = waiting.next().catch((error: unknown) => error);
    await fleet.close();
    expect(await next).toMatchObject({ reason: 'CLIENT_CLOSED' });
    const rest = async (): Promise<void> => {
      // The changes that were known.
      for await (const change of read) expect(change).toHaveProperty('kind');
    };
    await expect(rest()).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
  });

  test('checks its options', async () => {
    await using fleet = new BtfFleet(staticNodes([]));
    await expect(fleet.watch({ interval: 0 }).next()).rejects.toThrow('interval: must be a number');
    expect((await fleet.watch().next()).value).toEqual({ kind: 'synced', nodes: 0, builds: 0 });
  });
});
