import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Builder } from '@btfd/btf';
import { BtfClient } from '../client.js';
import { FakeDaemon } from '../fake-daemon/index.js';
import type { MemberResult } from './member-result.js';

let daemon: FakeDaemon;
let client: BtfClient;

beforeAll(async () => {
  const builder = new Builder({ deduplicate: false });
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  for (const bitOffset of [32, 64]) {
    const place = { typeId: int, bitfieldSize: 0 };
    const members = [
      { name: 'same', bitOffset: 0, ...place },
      { name: 'moved', bitOffset, ...place },
    ];
    builder.add({ kind: 'STRUCT', name: 's', size: 16, members });
  }
  daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf: builder.marshal() }] });
  client = new BtfClient(daemon.address);
});

afterAll(async () => {
  await client.close();
  await daemon.stop();
});

async function resultOf(path: string): Promise<MemberResult | undefined> {
  return (await client.resolveMembers('vmlinux', [path]))[0];
}

test('a path that all types of its name agree on has a member and no failure', async () => {
  expect(await resultOf('s.same')).toMatchObject({
    member: { bitOffset: 0, containerId: 2 },
    error: null,
    failure: null,
  });
});

test('an ambiguous path has the types that it may mean, and paths that mean them', async () => {
  const result = await resultOf('s.moved');
  expect(result).toMatchObject({
    member: null,
    error: expect.stringContaining('name one by its id, for example 2.moved'),
    failure: {
      code: 'AMBIGUOUS',
      step: -1,
      candidates: [
        {
          typeId: 2,
          typeName: 'struct s',
          inBase: false,
          path: '2.moved',
          member: { bitOffset: 32, typeName: 'int' },
        },
        {
          typeId: 3,
          typeName: 'struct s',
          inBase: false,
          path: '3.moved',
          member: { bitOffset: 64, typeName: 'int' },
        },
      ],
      candidateCount: 2,
    },
  });
  for (const { path, member } of result?.failure?.candidates ?? []) {
    expect((await resultOf(path))?.member).toEqual(member);
  }
});

test.each([
  ['t.same', 'NO_SUCH_TYPE', -1],
  ['9.same', 'NO_SUCH_TYPE', -1],
  ['s.sane', 'NO_SUCH_MEMBER', 0],
  ['s.same.x', 'NOT_A_STRUCT', 1],
  ['s..same', 'BAD_PATH', -1],
])('the failure of %s has the code %s', async (path, code, step) => {
  expect((await resultOf(path))?.failure).toEqual({ code, step, candidates: [], candidateCount: 0 });
});
