import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type SpecResponse, SpecResponseSchema } from '@btfd/api';
import { Spec } from '@btfd/btf';
import { isMessage } from '@bufbuild/protobuf';
import { type Interceptor, InterceptingCall, status } from '@grpc/grpc-js';
import { BtfClient } from './client.js';
import { FakeDaemon } from './fake-daemon/index.js';
import { cancelled, specsSent } from './testing/daemon-calls.js';
import { tinyBtf, tinySplitBtf } from './testing/tiny-btf.js';
import { until } from './testing/promises.js';
import type { TransferProgress } from './btf/transfer-progress.js';

const VMLINUX = tinyBtf('u32');
const MODULE = tinySplitBtf();

/** A long name, so that a transfer has many parts. */
const LONG = 'a'.repeat(4_000);

let daemon: FakeDaemon;
let client: BtfClient;

beforeEach(async () => {
  daemon = await FakeDaemon.start({
    chunkBytes: 64,
    chunkDelay: 1,
    objects: [
      { id: 1, name: 'vmlinux', btf: VMLINUX },
      { id: 2, name: 'dummy', btf: MODULE },
      { id: 3, name: '', btf: tinyBtf('user') },
    ],
  });
  client = new BtfClient(daemon.address);
});

afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

function replaceVmlinux(btf: Uint8Array): void {
  daemon.removeObject(1);
  daemon.addObject({ id: 1, name: 'vmlinux', btf });
}

/** Returns an interceptor that replaces the raw BTF that the daemon sends, which is in one message. */
function replaceRaw(bytes: () => Uint8Array | null): Interceptor {
  return changing(({ part }) => {
    const replaced = bytes();
    if (replaced !== null && part.case === 'raw') part.value = replaced;
  });
}

/** Returns an interceptor that changes the messages of a spec. */
function changing(change: (message: SpecResponse) => void): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, _, next) => {
        next(metadata, {
          onReceiveMessage: (message: unknown, nextMessage) => {
            if (isMessage(message, SpecResponseSchema)) change(message);
            nextMessage(message);
          },
        });
      },
    });
}

function names(spec: Spec): string[] {
  return [...spec.types()].map(({ kind, name }) => `${kind} ${name}`);
}

describe('the spec of a handle', () => {
  test('is read from its raw BTF', async () => {
    const handle = await client.getHandleById(3);
    expect(names(await handle.spec())).toEqual(['INT user']);
  });

  test('is transferred once, also for other handles on the same bytes', async () => {
    await using large = await FakeDaemon.start({ chunkDelay: 50 });
    const bytes = tinyBtf('a'.repeat(300_000));
    for (const id of [4, 5]) large.addObject({ id, btf: bytes });
    await using reader = new BtfClient(large.address);
    const handle = await reader.getHandleById(4);
    const spec = await handle.spec();
    const other = await reader.getHandleById(5);
    expect(await other.spec()).toBe(spec);
    expect(await handle.spec()).toBe(spec);
    expect(specsSent(large)).toBe(1);
    await until(() => cancelled(large).length === 1);
  });

  test('is asked for with the digest in the info', async () => {
    for (const id of [4, 5]) daemon.addObject({ id, btf: tinyBtf('same') });
    const specs: Spec[] = [];
    for await (const handle of client.iterateHandles({ afterId: 3, details: ['digest'] })) {
      specs.push(await handle.spec());
    }
    expect(specs[1]).toBe(specs[0]);
    const [first, second] = daemon.callsOf('spec').map(({ request }) => request.ifNoneMatch);
    expect(first).toBeUndefined();
    expect(second).toBeDefined();
  });

  // Node's HTTP/2 ends a connection after a thousand resets of streams in a short time, and a cancelled call is one.
  test('does not cancel calls whose response is not needed', async () => {
    const handle = await client.getHandleById(3);
    for (let i = 0; i < 5; i++) await Promise.all([client.spec('vmlinux'), handle.spec()]);
    for (let i = 0; i < 5; i++) await (await client.getHandleById(3)).spec();
    expect(daemon.callsOf('spec')).toHaveLength(15);
    expect(cancelled(daemon)).toEqual([]);
  });

  test('is transferred once when asked for many times at once', async () => {
    replaceVmlinux(tinyBtf(LONG));
    const handles = await Promise.all([1, 1, 1].map(async (id) => client.getHandleById(id)));
    const specs = await Promise.all([
      ...handles.map(async (handle) => handle.spec()),
      client.spec('vmlinux'),
    ]);
    expect(new Set(specs).size).toBe(1);
    expect(specsSent(daemon)).toBe(1);
  });

  test('continues for other callers when the first one aborts', async () => {
    replaceVmlinux(tinyBtf(LONG));
    const [first, second] = await Promise.all([client.getHandleById(1), client.getHandleById(1)]);
    const controller = new AbortController();
    const onProgress = ({ received }: TransferProgress): void => {
      // In the middle of the transfer, which the others have joined by then.
      if (received > LONG.length / 2) controller.abort(new Error('enough'));
    };
    const specs = [first.spec({ signal: controller.signal, onProgress }), second.spec()];
    const [aborted, whole] = await Promise.allSettled(specs);
    expect(aborted?.status).toBe('rejected');
    expect(whole?.status).toBe('fulfilled');
    expect(specsSent(daemon)).toBe(1);
  });

  test('is cancelled when all callers have aborted', async () => {
    daemon.addObject({ id: 4, btf: tinyBtf(LONG) });
    const handle = await client.getHandleById(4);
    const controller = new AbortController();
    const reason = new Error('enough');
    const spec = handle.spec({ signal: controller.signal });
    await until(() => daemon.callsOf('spec').length === 1);
    setTimeout(() => controller.abort(reason), 20);
    await expect(spec).rejects.toBe(reason);
    await until(() => cancelled(daemon).includes('spec'));
    expect(specsSent(daemon)).toBe(0);
  });
});

describe('rawBtf', () => {
  test("is the caller's own copy", async () => {
    const handle = await client.getHandleById(1);
    const raw = await handle.rawBtf();
    expect(raw).toEqual(VMLINUX);
    raw.fill(0);
    expect(await handle.rawBtf()).toEqual(VMLINUX);
  });

  test.each([
    ['other bytes', tinyBtf('u33'), 'another digest'],
    ['fewer bytes', VMLINUX.subarray(1), 'of the 45 bytes'],
    ['more bytes', new Uint8Array(100), 'more than the 45 bytes'],
  ])('rejects %s than announced, and does not keep them', async (_, sent, message) => {
    let replaced: Uint8Array | null = sent;
    await using deceived = new BtfClient(daemon.address, { interceptors: [replaceRaw(() => replaced)] });
    const handle = await deceived.getHandleById(1);
    const error: unknown = await handle.rawBtf().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: status.DATA_LOSS, reason: 'TRANSFER_CORRUPT' });
    expect(String(error)).toContain(message);
    replaced = null;
    expect(await handle.rawBtf()).toEqual(VMLINUX);
  });
});

test('BTF is not received if the daemon announces more than any kernel has', async () => {
  const lies = changing(({ part }) => {
    if (part.case === 'header') part.value.rawSize = 2 ** 32 - 1;
  });
  await using deceived = new BtfClient(daemon.address, { interceptors: [lies] });
  await expect(deceived.spec('vmlinux')).rejects.toMatchObject({
    reason: 'INVALID_RESPONSE',
    rawMessage: 'the daemon announces 4294967295 bytes of BTF, of which at most 268435456 are read',
  });
});

test.each<[string, (message: SpecResponse) => void, string]>([
  [
    'more than any kernel has',
    // The memory is never touched.
    ({ part }) => void (part.case === 'c' && (part.value = new Uint8Array(2 ** 28 + 1))),
    'the daemon sends more than the 268435456 bytes that are read',
  ],
  [
    'BTF instead',
    (message) => {
      if (message.part.case === 'c') message.part = { case: 'raw', value: message.part.value };
    },
    "the daemon's response has no part of the kind c",
  ],
])('C is not received if the daemon sends %s', async (_, change, rawMessage) => {
  await using deceived = new BtfClient(daemon.address, { interceptors: [changing(change)] });
  await expect(deceived.cHeader('vmlinux')).rejects.toMatchObject({ reason: 'INVALID_RESPONSE', rawMessage });
});

describe('the spec of split BTF', () => {
  test('has vmlinux as its base, which is fetched automatically and once', async () => {
    const handle = await client.getHandleById(2);
    const spec = await handle.spec();
    expect(spec.base).toBe(await client.spec('vmlinux'));
    expect(daemon.callsOf('spec')).toHaveLength(3);
    expect((await handle.spec()).base).toBe(spec.base);
    expect(daemon.callsOf('spec')).toHaveLength(4);
    expect(specsSent(daemon)).toBe(2);
  });

  test('of many modules at once fetches the base once', async () => {
    const handles = await Promise.all([2, 2, 2].map(async (id) => client.getHandleById(id)));
    const specs = await Promise.all(handles.map(async (handle) => handle.spec()));
    expect(new Set(specs.map(({ base }) => base)).size).toBe(1);
    expect(daemon.callsOf('spec').filter(({ request }) => request.source.value === 'vmlinux')).toHaveLength(
      1,
    );
  });

  test('fails without a base', async () => {
    const handle = await client.getHandleById(2);
    const missing = { code: status.FAILED_PRECONDITION, reason: 'MISSING_BASE' };
    await expect(handle.spec({ base: null })).rejects.toMatchObject(missing);
    await expect(handle.spec({ base: null })).rejects.toThrow('missing base types');
    await expect(client.spec('dummy', { base: null })).rejects.toMatchObject(missing);
  });

  test('accepts a base as a Spec or as a handle', async () => {
    const handle = await client.getHandleById(2);
    const base = Spec.parse(VMLINUX);
    expect((await handle.spec({ base })).base).toBe(base);
    expect((await client.spec('dummy', { base })).base).toBe(base);
    const vmlinux = await client.getHandleById(1);
    expect((await handle.spec({ base: vmlinux })).base).toBe(await vmlinux.spec());
  });

  test('rejects a vmlinux that is not its base', async () => {
    replaceVmlinux(tinyBtf('other'));
    const handle = await client.getHandleById(2);
    await expect(handle.spec()).rejects.toMatchObject({ reason: 'BASE_MISMATCH' });
  });

  test('has no base if the BTF is not split', async () => {
    const handle = await client.getHandleById(3);
    expect((await handle.spec({ base: null })).base).toBeNull();
    expect((await handle.spec({ base: Spec.parse(VMLINUX) })).base).toBeNull();
  });
});

describe('the spec of a name', () => {
  test('is asked for with the digest when last seen', async () => {
    const spec = await client.spec('vmlinux');
    expect(await client.spec('vmlinux')).toBe(spec);
    expect(daemon.callsOf('spec').map(({ request }) => request.ifNoneMatch !== undefined)).toEqual([
      false,
      true,
    ]);
    expect(cancelled(daemon)).toEqual([]);
  });

  test('is new if the object is new', async () => {
    await client.spec('vmlinux');
    replaceVmlinux(tinyBtf('newer'));
    expect(names(await client.spec('vmlinux'))).toEqual(['INT newer']);
  });

  test('is that of a module that was loaded again during an earlier call', async () => {
    await using slow = await FakeDaemon.start({
      objects: [{ id: 1, name: 'dummy', btf: tinyBtf(`${LONG}1`) }],
      chunkBytes: 256,
      chunkDelay: 5,
    });
    await using other = new BtfClient(slow.address, { retries: 0 });
    const first = other.rawBtf('dummy');
    await until(() => slow.callsOf('spec').length === 1);
    slow.removeObject(1);
    slow.addObject({ name: 'dummy', btf: tinyBtf('new') });
    expect(await other.rawBtf('dummy')).toEqual(tinyBtf('new'));
    expect(await first).toEqual(tinyBtf(`${LONG}1`));
  });

  test('passes on that no object has the name', async () => {
    daemon.failNext('spec', {
      code: status.NOT_FOUND,
      reason: 'NAME_NOT_FOUND',
      metadata: { name: 'x' },
    });
    await expect(client.spec('x')).rejects.toMatchObject({
      reason: 'NAME_NOT_FOUND',
      metadata: { name: 'x' },
    });
  });
});
