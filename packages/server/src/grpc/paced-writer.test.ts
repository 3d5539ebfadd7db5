import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { PacedWriter, type Batch } from './paced-writer.js';
import { Encoded } from './rpc.js';

/** A writer, the batches that it has sent, and the callbacks with which each of them leaves. */
function recorded({ slowReaderMs = 60_000 } = {}) {
  const batches: Batch[] = [];
  const leave: (() => void)[] = [];
  const abort = new AbortController();
  const { signal } = abort;
  const sender = {
    signal,
    throwIfAborted: () => signal.throwIfAborted(),
    sendBatch(batch: Batch, sent: () => void): void {
      batches.push(batch);
      leave.push(sent);
    },
  };
  return { batches, leave, abort, writer: new PacedWriter(sender, slowReaderMs) };
}

const message = (length: number, fill = 1): Encoded => new Encoded(new Uint8Array(length).fill(fill));
const sizes = (batches: readonly Batch[]): number[] => batches.map(({ messages }) => messages);

describe('A writer', () => {
  test('sends the messages of one turn together, each with its prefix', async () => {
    const { writer, batches } = recorded();
    await writer.write(message(1, 7));
    expect(batches).toEqual([]);
    await writer.write(new Encoded(Uint8Array.of(8), Uint8Array.of(9, 9)));
    await setImmediate();
    expect(sizes(batches)).toEqual([2]);
    expect(batches[0]?.bytes).toBe(4);
    expect(Buffer.concat(batches[0]?.parts ?? [])).toEqual(
      Buffer.from([0, 0, 0, 0, 1, 7, 0, 0, 0, 0, 3, 8, 9, 9]),
    );
  });

  test('sends a large message at once, with the small ones before it', async () => {
    const { writer, batches } = recorded();
    await writer.write(message(10));
    await writer.write(message(256 * 1024));
    expect(sizes(batches)).toEqual([2]);
  });

  test.each([
    ['large', 256 * 1024, 2],
    ['small', 1, 64],
  ])('makes no more %s messages than two batches have while nothing leaves', async (_, length, most) => {
    const { writer, batches, leave } = recorded();
    let written = 0;
    const all = (async () => {
      for (; written < 100; written++) await writer.write(message(length));
    })();
    await setImmediate();
    // The last of them is written and waits for room.
    expect([written, batches.length]).toEqual([most - 1, 2]);
    leave.shift()?.();
    await setImmediate();
    expect(batches.length).toBe(3);
    for (let sent = leave.shift(); sent !== undefined; sent = leave.shift()) {
      sent();
      await setImmediate();
    }
    await all;
    writer.flush();
    expect(sizes(batches).reduce((sum, each) => sum + each)).toBe(100);
  });

  test('makes small batches when many streams write in this turn', async () => {
    await setImmediate();
    const writers = Array.from({ length: 100 }, () => recorded());
    const loops = writers.map(async ({ writer }) => {
      for (let index = 0; index < 20; index++) await writer.write(message(1));
    });
    await setImmediate();
    expect(new Set(writers.flatMap(({ batches }) => sizes(batches)))).toEqual(new Set([2]));
    for (const { abort } of writers) abort.abort();
    for (const loop of await Promise.allSettled(loops)) expect(loop.status).toBe('rejected');
  });

  test('does not make a third batch of messages that are made one by one', async () => {
    const { writer, batches } = recorded({ slowReaderMs: 20 });
    for (let index = 0; index < 2; index++) {
      await writer.write(message(1));
      await setImmediate();
    }
    await expect(writer.write(message(1))).rejects.toMatchObject({ reason: ErrorReason.SLOW_READER });
    writer.flush();
    expect(sizes(batches)).toEqual([1, 1]);
  });

  test('stops to wait when the signal aborts', async () => {
    const { writer, abort } = recorded();
    await writer.write(message(256 * 1024));
    const second = writer.write(message(256 * 1024));
    abort.abort(new Error('the client is gone'));
    await expect(second).rejects.toThrow('the client is gone');
    await expect(writer.write(message(1))).rejects.toThrow('the client is gone');
  });
});
