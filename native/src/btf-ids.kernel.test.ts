import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { BpfError, btfGetFdById, btfGetNextId, btfLoad } from './index.js';
import { intBtf } from './testing/btf-bytes.js';

/** Returns the error of a call that must fail. */
function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

needs('bpf').describe('btfGetFdById', () => {
  test('opens the object that has the id', async () => {
    using btf = await btfLoad(intBtf(7), 0);
    using same = btfGetFdById(btf.info().id);
    expect(same.fd).not.toBe(btf.fd);
    expect(same.info()).toEqual(btf.info());
    expect(Buffer.compare(await same.read(), intBtf(7))).toBe(0);
  });

  test.each([0, 0x7fff_0000, 0xffff_ffff])('throws ENOENT for id %i, which no object has', (id) => {
    const error = thrown(() => btfGetFdById(id));
    expect(error).toBeInstanceOf(BpfError);
    expect(error).toMatchObject({
      code: 'ENOENT',
      command: 'BPF_BTF_GET_FD_BY_ID',
      message: `BPF_BTF_GET_FD_BY_ID of id ${id}: ENOENT (no such file or directory)`,
    });
  });
});

function exists(id: number): boolean {
  try {
    btfGetFdById(id).close();
    return true;
  } catch {
    return false;
  }
}

needs('bpf').describe('btfGetNextId', () => {
  test('returns all ids in ascending order, then null, and skips an object that vanishes meanwhile', async () => {
    const objects = await Promise.all([1, 2, 3].map((count) => btfLoad(intBtf(count), 0)));
    const [first = 0, second = 0, third = 0] = objects.map((btf) => btf.info().id);
    const seen: number[] = [];
    for (let id = btfGetNextId(0); id !== null; id = btfGetNextId(id)) {
      seen.push(id);
      if (id !== first) continue;
      objects[1]?.close();
      // The daemon of another test may hold an object for as long as it lists it.
      for (let tries = 0; tries < 10_000 && exists(second); tries++);
    }
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen).toEqual(expect.arrayContaining([first, third]));
    expect(seen).not.toContain(second);
    expect(thrown(() => btfGetFdById(second))).toMatchObject({ code: 'ENOENT' });
    for (const btf of objects) btf.close();
  });

  test('throws EINVAL beyond the largest id', () => {
    expect(btfGetNextId(2 ** 31 - 2)).toBeNull();
    expect(thrown(() => btfGetNextId(2 ** 31 - 1))).toMatchObject({
      code: 'EINVAL',
      command: 'BPF_BTF_GET_NEXT_ID',
    });
  });
});
