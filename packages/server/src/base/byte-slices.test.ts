import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { copyBytes, eachSlice } from './byte-slices.js';
import { sha256 } from './sha256.js';

const bytes = Uint8Array.from({ length: 1_300_000 }, (_, index) => index * 7);

test('Others run between the slices of many bytes', async () => {
  const events: string[] = [];
  const done = eachSlice(bytes, (slice, at) => events.push(`${at}+${slice.length}`));
  const others = (async () => {
    for (let turn = 0; turn < 2; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      events.push('other');
    }
  })();
  await Promise.all([done, others]);
  expect(events).toEqual(['0+524288', '524288+524288', 'other', '1048576+251424', 'other']);
});

test('A copy is equal, and of memory of its own', async () => {
  const view = bytes.subarray(3);
  const copy = await copyBytes(view);
  expect(Buffer.compare(copy, view)).toBe(0);
  expect(copy.buffer.byteLength).toBe(view.length);
});

test.each([0, 1, 524_288, 524_289, 1_300_000])(
  'A digest of %i bytes made in slices is that of all',
  async (length) => {
    const part = bytes.subarray(0, length);
    expect(Buffer.from(await sha256(part))).toEqual(createHash('sha256').update(part).digest());
  },
);
