import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Encoding, ErrorReason, SpecResponseSchema } from '@btfd/api';
import { fromBinary } from '@bufbuild/protobuf';
import { ServiceError } from '../error/service-error.js';
import { LoadedBtf } from '../source/loaded-btf.js';
import { intBtf } from '../testing/btf-bytes.js';
import { collect } from '../testing/collect.js';
import { failureOf } from '../testing/service-error.js';
import type { CheckJob, ResolveJob } from './job.js';
import { WorkerPool, type WorkerPoolLimits } from './worker-pool.js';

/** The compiled file, because Node runs it in the worker. */
const STUBBORN = fileURLToPath(new URL('../../dist/testing/stubborn-worker.js', import.meta.url));
const MIB = 1024 * 1024;
const LIMITS = {
  specCacheBytes: MIB,
  workers: 1,
  maxJobs: 8,
  maxJobsPerPrincipal: 8,
  maxChecks: 8,
  maxChecksPerPrincipal: 8,
  workerHeapBytes: 24 * MIB,
  workerStepMs: 300,
};
const C_FORMAT = { sorted: true, kfuncs: true, assertions: false };
const NEVER = new AbortController().signal;

const pools: WorkerPool[] = [];
/** The errors that broke workers. */
const broken: unknown[] = [];

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end(new Error('the test is over'));
  broken.splice(0);
});

function setUp(limits: Partial<WorkerPoolLimits> = {}, program?: string): WorkerPool {
  const pool = new WorkerPool({ ...LIMITS, ...limits }, (error) => broken.push(error), program);
  pools.push(pool);
  return pool;
}

/** Starts a job of the stubborn worker. The path names what the job does. */
function start(
  pool: WorkerPool,
  deed: string,
  signal = NEVER,
  principal = 'uid:0',
): AsyncGenerator<Uint8Array, void, void> {
  const btf = { digest: '', bytes: new Uint8Array() };
  const job: ResolveJob = { name: 'resolve', btf, base: null, paths: [deed], digest: btf.bytes };
  return pool.run(job, principal, signal);
}

async function next(items: AsyncGenerator<Uint8Array, void, void>): Promise<number | undefined> {
  const { value } = await items.next();
  return value === undefined ? undefined : value[0];
}

describe('A worker', () => {
  test('ends after a time without jobs, and the next job has another', async () => {
    const pool = setUp({ workerIdleMs: 20 });
    const { shared } = await LoadedBtf.of(intBtf('number'));
    const paths = ['number'];
    const job: ResolveJob = { name: 'resolve', btf: shared, base: null, paths, digest: new Uint8Array() };
    for (let count = 0; count < 2; count++) {
      expect(await collect(pool.run(job, 'uid:0', NEVER))).toHaveLength(1);
      expect(pool.size).toBeLessThanOrEqual(1);
      while (pool.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(broken).toEqual([]);
  });

  test('does a job of the daemon', async () => {
    const { shared } = await LoadedBtf.of(intBtf('number'));
    const limits = { chunkBytes: MIB, maxCBytes: MIB, cFormat: C_FORMAT };
    const job = {
      name: 'spec',
      btf: shared,
      base: null,
      encoding: Encoding.TYPES,
      selection: null,
      ...limits,
    } as const;
    const [item, ...more] = await collect(setUp().run(job, 'uid:0', NEVER));
    if (item?.case !== 'message') throw new Error('no message');
    const { part } = fromBinary(SpecResponseSchema, new Uint8Array(item.value));
    expect(part).toMatchObject({ case: 'types', value: { types: [{ id: 1, name: 'number' }] } });
    expect(more).toEqual([]);
  });

  test('passes on the errors of a job with their reason', async () => {
    const { shared } = await LoadedBtf.of(intBtf());
    const bytes = shared.bytes.slice();
    new DataView(bytes.buffer).setUint32(32, 0xffff, true);
    const btf = { digest: 'bad', bytes };
    const limits = { chunkBytes: MIB, maxCBytes: MIB, cFormat: C_FORMAT };
    const job = {
      name: 'spec',
      btf,
      base: null,
      encoding: Encoding.TYPES,
      selection: null,
      ...limits,
    } as const;
    const error = await failureOf(() => collect(setUp().run(job, 'uid:0', NEVER)));
    expect([error.reason, error.metadata]).toEqual([
      ErrorReason.BTF_UNDECODABLE,
      { offset: '32', type_id: '1' },
    ]);
  });

  test('reports its own faults only in the log', async () => {
    const items = start(setUp({}, STUBBORN), 'fail');
    await items.next();
    const error = await failureOf(() => items.next());
    expect([error.reason, error.message]).toEqual([
      ErrorReason.INTERNAL,
      'internal error: see the daemon’s log',
    ]);
    expect(error.cause).toMatchObject({ stack: expect.stringContaining('a fault of the worker') });
  });

  test('does jobs in turn, and makes only the requested items', async () => {
    const pool = setUp({}, STUBBORN);
    const [a, b, idle] = [start(pool, 'count'), start(pool, 'count'), start(pool, 'dawdle')];
    const ended = expect(idle.next()).rejects.toThrow('the end');
    expect([await next(a), await next(b), await next(a), await next(b)]).toEqual([0, 0, 1, 1]);
    await Promise.all([a.return(), b.return()]);
    await pool.end(new Error('the end'));
    await ended;
  });

  test('ends a job whose signal aborts at its next step', async () => {
    const pool = setUp({}, STUBBORN);
    const abort = new AbortController();
    const idle = start(pool, 'dawdle', abort.signal).next();
    const other = start(pool, 'count');
    await other.next();
    abort.abort(new Error('gone'));
    await expect(idle).rejects.toThrow('gone');
    expect(await next(other)).toBe(1);
    await expect(start(pool, 'count', abort.signal).next()).rejects.toThrow('gone');
  });
});

describe('A worker is replaced', () => {
  test.each([
    ['takes too long for one step', 'spin', ErrorReason.WORK_TOO_LARGE, { resource: 'time' }, 'more time'],
    ['takes all memory', 'eat', ErrorReason.WORK_TOO_LARGE, { resource: 'memory' }, 'out of memory'],
    ['crashes', 'crash', ErrorReason.WORKER_LOST, {}, 'nobody catches this'],
    ['ends', 'exit', ErrorReason.WORKER_LOST, {}, 'a worker ended with 0'],
  ])('that %s, and its other jobs fail with WORKER_LOST', async (_, deed, reason, metadata, message) => {
    const pool = setUp(deed === 'spin' ? {} : { workerStepMs: 20_000 }, STUBBORN);
    const other = start(pool, 'count');
    await other.next();
    const bad = start(pool, deed);
    await bad.next();
    const error = await failureOf(() => bad.next());
    expect([error.reason, error.metadata]).toEqual([reason, metadata]);
    expect(await failureOf(() => other.next())).toMatchObject({ reason: ErrorReason.WORKER_LOST });
    expect(await next(start(pool, 'count'))).toBe(0);
    expect(broken).toEqual([expect.objectContaining({ message: expect.stringContaining(message) })]);
    expect(pool.usage.broken).toBe(1);
  });
});

describe('The pool', () => {
  test('starts a worker if no other is idle, up to its limit', async () => {
    const pool = setUp({ workers: 2 }, STUBBORN);
    const first = start(pool, 'spin');
    await first.next();
    const stuck = failureOf(() => first.next());
    // The other one serves while the first is stuck.
    expect(await next(start(pool, 'count', NEVER, 'uid:1'))).toBe(0);
    expect((await stuck).reason).toBe(ErrorReason.WORK_TOO_LARGE);
  });

  test('leaves a worker to other principals, however many jobs of one are stuck', async () => {
    const pool = setUp({ workers: 2, workerStepMs: 20_000 }, STUBBORN);
    const stuck = [1, 2, 3].map(() => start(pool, 'spin'));
    for (const each of stuck) await each.next();
    const ended = stuck.map(async (each) => failureOf(() => each.next()));
    const other = start(pool, 'count', NEVER, 'uid:1');
    for (const count of [0, 1, 2]) expect(await next(other)).toBe(count);
    await pool.end(new ServiceError(ErrorReason.SHUTTING_DOWN, 'the end'));
    await Promise.all(ended);
  });

  test('gives a principal all workers except one', async () => {
    const pool = setUp({ workers: 3, workerStepMs: 20_000 }, STUBBORN);
    const first = start(pool, 'spin');
    await first.next();
    const stuck = failureOf(() => first.next());
    expect(await next(start(pool, 'count'))).toBe(0);
    await pool.end(new ServiceError(ErrorReason.SHUTTING_DOWN, 'the end'));
    await stuck;
  });

  test('makes jobs above the limit wait for their turn', async () => {
    const pool = setUp({ maxJobs: 1 }, STUBBORN);
    const first = start(pool, 'count');
    await first.next();
    const abort = new AbortController();
    const [waiting, gone] = [next(start(pool, 'count')), next(start(pool, 'count', abort.signal))];
    expect(pool.usage).toMatchObject({ busy: 1, waitingJobs: 2, waitingChecks: 0 });
    abort.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    await first.return();
    expect(await waiting).toBe(0);
  });

  test('works for others while a principal has all its jobs and reads none', async () => {
    const pool = setUp({ maxJobs: 2, maxJobsPerPrincipal: 1 }, STUBBORN);
    const [unread, waiting] = [
      start(pool, 'count', NEVER, 'uid:1000'),
      start(pool, 'count', NEVER, 'uid:1000'),
    ];
    await unread.next();
    const more = next(waiting);
    expect(await next(start(pool, 'count', NEVER, 'uid:1001'))).toBe(0);
    await unread.return();
    expect(await more).toBe(0);
  });

  test('does a load even if its principal has all its jobs', async () => {
    const pool = setUp({ maxJobs: 1, maxJobsPerPrincipal: 1 });
    const { shared } = await LoadedBtf.of(intBtf('number'));
    const limits = { chunkBytes: MIB, maxCBytes: MIB, cFormat: C_FORMAT };
    const spec = {
      name: 'spec',
      btf: shared,
      base: null,
      encoding: Encoding.TYPES,
      selection: null,
    } as const;
    await pool.run({ ...spec, ...limits }, 'uid:0', NEVER).next();
    const source = { case: 'rawBtf', value: intBtf('other') } as const;
    const load = {
      name: 'load',
      source,
      adaptTo: null,
      maxCheckMs: 1_000,
      kernelLayout: new Uint8Array(),
    } as const;
    expect(await collect(pool.run(load, 'uid:0', NEVER))).toMatchObject([
      { case: 'load', value: intBtf('other') },
    ]);
  });

  test('does few checks of objects at one time, and other jobs meanwhile', async () => {
    const pool = setUp({
      maxChecks: 2,
      maxChecksPerPrincipal: 1,
      workerHeapBytes: 64 * MIB,
      workerStepMs: 10_000,
    });
    const { shared } = await LoadedBtf.of(intBtf('number'));
    const file = new URL('../../../btf/src/object/testdata/variables.bpf.o', import.meta.url);
    const job: CheckJob = {
      name: 'check',
      object: new Uint8Array(readFileSync(file)),
      kernel: shared,
      modules: [],
      loader: 'libbpf',
      programs: null,
      variables: new Map(),
      attachTargets: new Map(),
      kernelVersion: null,
      all: false,
      sent: 0,
      // Each message is an item, so the first one does not end the job.
      chunkBytes: 1,
    };
    const check = (principal: string) => pool.run(job, principal, NEVER);
    const unread = check('uid:1000');
    await unread.next();
    const waiting = check('uid:1000').next();
    expect((await collect(check('uid:1001'))).at(-1)).toMatchObject({ verdict: 'UNKNOWN' });
    const resolve: ResolveJob = {
      name: 'resolve',
      btf: shared,
      base: null,
      paths: [],
      digest: new Uint8Array(),
    };
    expect(await collect(pool.run(resolve, 'uid:1000', NEVER))).toHaveLength(1);
    let hasBegun = false;
    void waiting.then(() => (hasBegun = true));
    await collect(check('uid:1001'));
    expect(hasBegun).toBe(false);
    await unread.return();
    expect(await waiting).toMatchObject({ value: { case: 'messages' } });
  });

  test('fails jobs in progress and later ones at its end', async () => {
    const pool = setUp({}, STUBBORN);
    const items = start(pool, 'count');
    await items.next();
    const ending = new ServiceError(ErrorReason.SHUTTING_DOWN, 'the end');
    await pool.end(ending);
    await expect(items.next()).rejects.toBe(ending);
    await expect(start(pool, 'count').next()).rejects.toBe(ending);
    expect(broken).toEqual([]);
  });
});
