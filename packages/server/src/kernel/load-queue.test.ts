import { describe, expect, jest, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { withResolvers } from '../testing/grpc-harness.js';
import type { KernelObject } from './kernel.js';
import { LoadQueue } from './load-queue.js';

const LIMITS = { maxQueuedLoads: 2, maxQueuedLoadBytes: 1_000 };
const NEVER = new AbortController().signal;

/** Waits for its turn, makes BTF and loads it. */
async function loadInTurn(
  queue: LoadQueue,
  name: string,
  {
    signal = NEVER,
    make = () => intBtf(name),
  }: { signal?: AbortSignal; make?: () => Promise<Uint8Array> | Uint8Array } = {},
): Promise<KernelObject> {
  using turn = await queue.turn(intBtf(name).length, signal);
  return await turn.load(await make(), 0, { acceptedMs: 1, refusedMs: 3 });
}

function setUp(limits = LIMITS) {
  const kernel = new FakeKernel();
  const gate = withResolvers();
  kernel.loadGate = gate.promise;
  const queue = new LoadQueue(kernel, limits);
  return {
    kernel,
    queue,
    open: () => gate.resolve(),
    load: (name: string, signal = NEVER) => loadInTurn(queue, name, { signal }),
  };
}

async function turns(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('LoadQueue', () => {
  test('loads one at a time, in the order in which they came', async () => {
    const { kernel, open, load } = setUp();
    const loads = [load('a'), load('b'), load('c')];
    await turns();
    expect(kernel.loads.length).toBe(1);
    open();
    const sizes = (await Promise.all(loads)).map((object) => object.info().size);
    expect(kernel.loads.map(({ bytes }) => bytes)).toEqual(['a', 'b', 'c'].map((name) => intBtf(name)));
    expect(sizes.length).toBe(3);
    // It is free again.
    await load('d');
  });

  test('never begins a load whose caller went away while it waited, and passes the turn on', async () => {
    const { kernel, open, load } = setUp();
    const abort = new AbortController();
    const first = load('a');
    const gone = load('b', abort.signal);
    const last = load('c');
    abort.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    open();
    await Promise.all([first, last]);
    expect(kernel.loads.map(({ bytes }) => bytes)).toEqual([intBtf('a'), intBtf('c')]);
    await expect(load('d', abort.signal)).rejects.toThrow('gone');
  });

  test('refuses loads when too much waits, and accepts more once some have ended', async () => {
    const { open, load } = setUp();
    const taken = [load('a'), load('b'), load('c')];
    await expect(load('d')).rejects.toMatchObject({ reason: ErrorReason.LOAD_QUEUE_FULL });
    open();
    await Promise.all(taken);
    await load('e');
    const small = setUp({ maxQueuedLoads: 10, maxQueuedLoadBytes: intBtf('b').length });
    const first = [small.load('a'), small.load('b')];
    await expect(small.load('c')).rejects.toMatchObject({ reason: ErrorReason.LOAD_QUEUE_FULL });
    small.open();
    await Promise.all(first);
  });

  test('continues after a load that failed', async () => {
    const { kernel, open, load } = setUp();
    kernel.failures.load = bpfError('BPF_BTF_LOAD', 'ENOMEM');
    const failing = load('a');
    const waiting = load('b');
    open();
    await expect(failing).rejects.toMatchObject({ code: 'ENOMEM' });
    await expect(waiting).rejects.toMatchObject({ code: 'ENOMEM' });
    delete kernel.failures.load;
    await load('c');
  });

  test('at its end drops waiting loads, refuses new ones, and lets the kernel finish', async () => {
    const { kernel, queue, open, load } = setUp();
    const begun = load('a');
    const waiting = load('b');
    await turns();
    queue.end(new Error('the end'));
    await expect(waiting).rejects.toThrow('the end');
    await expect(load('c')).rejects.toThrow('the end');
    open();
    await begun;
    expect(kernel.loads.length).toBe(1);
  });

  test('gives each load its turn before its BTF is made, and loads nothing if that fails', async () => {
    const { kernel, queue, open, load } = setUp();
    const events: string[] = [];
    const making = (name: string, make: () => Uint8Array) =>
      loadInTurn(queue, name, {
        make() {
          events.push(name);
          return make();
        },
      });
    const noBtf = (): never => {
      throw new Error('no BTF');
    };
    const first = load('a');
    const failing = making('b', noBtf);
    const last = making('c', () => intBtf('c'));
    await turns();
    expect(events).toEqual([]);
    open();
    await expect(failing).rejects.toThrow('no BTF');
    await Promise.all([first, last]);
    expect(events).toEqual(['b', 'c']);
    expect(kernel.loads.map(({ bytes }) => bytes)).toEqual([intBtf('a'), intBtf('c')]);
  });

  test('never begins a load whose caller went away, or whose queue ended, while its BTF was made', async () => {
    const { kernel, queue, open } = setUp();
    open();
    const abort = new AbortController();
    const gate = withResolvers<Uint8Array>();
    const gone = loadInTurn(queue, 'a', { signal: abort.signal, make: () => gate.promise });
    await turns();
    abort.abort(new Error('gone'));
    gate.resolve(intBtf('a'));
    await expect(gone).rejects.toThrow('gone');
    const late = withResolvers<Uint8Array>();
    const overtaken = loadInTurn(queue, 'b', { make: () => late.promise });
    await turns();
    queue.end(new Error('the end'));
    late.resolve(intBtf('b'));
    await expect(overtaken).rejects.toThrow('the end');
    expect(kernel.loads).toEqual([]);
  });

  test('returns the object of a load during which the caller went away', async () => {
    const { kernel, open, load } = setUp();
    const abort = new AbortController();
    const gone = load('a', abort.signal);
    await turns();
    abort.abort(new Error('gone'));
    open();
    (await gone).close();
    expect([kernel.loads.length, kernel.openCount]).toEqual([1, 0]);
  });

  test('is free again after a turn without a load', async () => {
    const { kernel, queue, open, load } = setUp();
    open();
    (await queue.turn(1, NEVER))[Symbol.dispose]();
    await load('a');
    expect([kernel.loads.length, queue.queue.running]).toEqual([1, false]);
  });

  test('passes the turn on if the caller goes away, or the queue ends, just as its turn begins', async () => {
    const { kernel, queue, open, load } = setUp();
    open();
    const turn = await queue.turn(1, NEVER);
    const abort = new AbortController();
    const gone = load('a', abort.signal);
    const next = load('b');
    turn[Symbol.dispose]();
    abort.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    await next;
    expect(kernel.loads.map(({ bytes }) => bytes)).toEqual([intBtf('b')]);
    const last = await queue.turn(1, NEVER);
    const overtaken = load('c');
    last[Symbol.dispose]();
    queue.end(new Error('the end'));
    await expect(overtaken).rejects.toThrow('the end');
    expect(queue.queue.running).toBe(false);
  });
});

test('A load is timed, and compared with the estimate for what became of it', async () => {
  const kernel = new FakeKernel();
  const onLoad = jest.fn();
  const queue = new LoadQueue(kernel, LIMITS, onLoad);
  (await loadInTurn(queue, 'a')).close();
  kernel.failures.load = bpfError('BPF_BTF_LOAD', 'EINVAL');
  await expect(loadInTurn(queue, 'a')).rejects.toThrow('EINVAL');
  const times = { waitedMs: expect.any(Number), tookMs: expect.any(Number), btfBytes: intBtf('a').length };
  expect(onLoad.mock.calls).toEqual([[{ ...times, estimatedMs: 1 }], [{ ...times, estimatedMs: 3 }]]);
});
