import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BtfClient } from '../client.js';
import type { HandleInfo } from './handle-info.js';
import type { InfoDetail } from './info-detail.js';
import { FakeDaemon } from '../fake-daemon/index.js';
import { tinyBtf } from '../testing/tiny-btf.js';

const BYTES = tinyBtf('u32');
const DIGEST = createHash('sha256').update(BYTES).digest('hex');
const USERS = {
  programs: [{ id: 7, name: 'trace' }],
  maps: [
    { id: 8, name: 'counters', keyTypeId: 1, valueTypeId: 0 },
    { id: 9, name: 'of_old_daemon', keyTypeId: null, valueTypeId: null },
  ],
  processes: [{ pid: 9, command: 'tracer' }],
};
const NO_USERS = { programs: [], maps: [], processes: [] };

let daemon: FakeDaemon;
let client: BtfClient;

beforeEach(async () => {
  daemon = await FakeDaemon.start({
    objects: [
      { id: 1, name: 'vmlinux', btf: BYTES },
      { id: 2, name: '', btf: BYTES, users: USERS },
    ],
  });
  client = new BtfClient(daemon.address);
});

afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

const detailsOf = ({ digest, users }: HandleInfo) => ({ digest, users });

test.each<[string, InfoDetail[] | undefined, object[]]>([
  [
    'nothing',
    undefined,
    [
      { digest: null, users: null },
      { digest: null, users: null },
    ],
  ],
  [
    'digests',
    ['digest'],
    [
      { digest: DIGEST, users: null },
      { digest: DIGEST, users: null },
    ],
  ],
  [
    'users',
    ['users'],
    [
      { digest: null, users: NO_USERS },
      { digest: null, users: USERS },
    ],
  ],
  [
    'both',
    ['users', 'digest'],
    [
      { digest: DIGEST, users: NO_USERS },
      { digest: DIGEST, users: USERS },
    ],
  ],
])('if %s is requested, every call that returns an info returns it', async (_, details, expected) => {
  expect((await client.listObjects({ details })).map(detailsOf)).toEqual(expected);
  const iterated: HandleInfo[] = [];
  for await (const { info } of client.iterateHandles({ details })) iterated.push(info);
  expect(iterated.map(detailsOf)).toEqual(expected);
  await using handle = await client.getHandleById(2);
  expect(detailsOf((await handle.inspect({ details })).info)).toEqual(expected[1]);
  expect(detailsOf(handle.info)).toEqual(expected[1]);
});

test('a predicate can look at users', async () => {
  const options = { details: ['users'] } as const;
  await using handle = await client.findHandle(
    ({ users }) => users?.processes.some(({ command }) => command === 'tracer') === true,
    options,
  );
  expect(handle.info.id).toBe(2);
});
