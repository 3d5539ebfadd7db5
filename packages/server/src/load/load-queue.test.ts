import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { withResolvers } from '../testing/grpc-harness.js';
import { LoadQueue } from './load-queue.js';

const LIMITS = { maxQueuedLoads: 2, maxQueuedLoadBytes: 1_000 };
const NEVER = new AbortController().signal;

function setUp(limits = LIMITS) {
  const kernel = new FakeKernel();
  const gate = withResolvers();
  kernel.loadGate = gate.promise;
  const queue = new LoadQueue(kernel, limits);
  return {
    kernel,
    queue,
    open: () => gate.resolve(),
    load: (name: string, signal = NEVER) => queue.load(intBtf(name), 0, signal),
  };
}

async function turns(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('LoadQueue', () => {
  test('loads one at a time, in the order in which they came', async () => {
    const { kernel, queue, open, load } = setUp();
    const loads = [load('a'), load('b'), load('c')];
    await turns();
    expect(kernel.loads.length).toBe(1);
    open();
    const sizes = (await Promise.all(loads)).map((object) => object.info().size);
    expect(kernel.loads.map(({ bytes }) => bytes)).toEqual(['a', 'b', 'c'].map((name) => intBtf(name)));
    expect(sizes.length).toBe(3);
    // It is free again.
    await queue.load(intBtf('d'), 0, NEVER);
  });

  test('never begins a load whose caller went away while it waited, and hands its place on', async () => {
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

  test('refuses what is too much to wait, and takes more once some have ended', async () => {
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

  test('goes on behind a load that failed', async () => {
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

  test('at its end drops what waits, refuses what comes, and lets the kernel finish', async () => {
    const { kernel, queue, open, load } = setUp();
    const begun = load('a');
    const waiting = load('b');
    queue.end(new Error('the end'));
    await expect(waiting).rejects.toThrow('the end');
    await expect(load('c')).rejects.toThrow('the end');
    open();
    await begun;
    expect(kernel.loads.length).toBe(1);
  });
});
