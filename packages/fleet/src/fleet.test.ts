import { describe, expect, test } from '@jest/globals';
import { BtfError, status } from '@btfd/client';
import { BtfFleet, type BtfFleetOptions } from './fleet.js';
import { staticNodes } from './source/static-nodes.js';
import { Fakes } from './testing/fakes.js';
import { kindsOf, OPTIONS, sha256 } from './testing/fleets.js';
import { MODULE, NEW_KERNEL, OLD_KERNEL, OTHER_MODULE, START } from './testing/kernels.js';

describe('A question', () => {
  test('is asked once for each build, and each node has an outcome', async () => {
    await using fakes = new Fakes();
    const nodes = [];
    for (let i = 0; i < 3; i++) nodes.push(await fakes.start(`old${i}`, OLD_KERNEL));
    for (let i = 0; i < 4; i++)
      nodes.push(await fakes.start(`new${i}`, NEW_KERNEL, i === 0 ? { m: MODULE } : {}));
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const answer = await fleet.resolveMembers(['task_struct.pid', START]);
    expect(fakes.calls('resolveMembers')).toBe(2);
    expect(answer).toMatchObject({
      complete: true,
      builds: [
        {
          build: { digest: sha256(NEW_KERNEL).toString('hex'), modulesDigest: null, machine: 'x86_64' },
          nodes: ['new0', 'new1', 'new2', 'new3'],
          value: [
            { path: 'task_struct.pid', used: 'task_struct.pid', result: { member: { bitOffset: 0 } } },
            { path: START, used: 'task_struct.start_boottime', result: { member: { bitOffset: 32 } } },
          ],
          error: null,
        },
        {
          build: { modulesDigest: sha256().toString('hex'), moduleCount: 0 },
          nodes: ['old0', 'old1', 'old2'],
          value: [{}, { path: START, used: 'task_struct.real_start_time' }],
        },
      ],
    });
    const kinds = Object.values(kindsOf(answer.nodes));
    expect(kinds.toSorted()).toEqual([
      'answered',
      'answered',
      ...Array.from({ length: 5 }, () => 'inferred'),
    ]);
  });

  test('of a path without a member in any alternative has the failure of the first', async () => {
    await using fakes = new Fakes();
    await using fleet = new BtfFleet(staticNodes([await fakes.start('a', OLD_KERNEL)]), OPTIONS);
    const path = 'task_struct.none|no_struct.pid';
    const { builds } = await fleet.resolveMembers([path]);
    expect(builds[0]?.value).toMatchObject([
      { path, used: null, result: { path: 'task_struct.none', failure: { code: 'NO_SUCH_MEMBER' } } },
    ]);
    await expect(fleet.resolveMembers(['a.b|'])).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
  });

  test('about a module is asked once for each of its builds', async () => {
    await using fakes = new Fakes();
    const nodes = [
      await fakes.start('a', NEW_KERNEL, { m: MODULE }),
      // Other modules, and the same m.
      await fakes.start('b', NEW_KERNEL, { m: MODULE, other: MODULE }),
      await fakes.start('c', NEW_KERNEL, { m: OTHER_MODULE }),
      await fakes.start('d', NEW_KERNEL),
      await fakes.start('e', NEW_KERNEL, { unrelated: MODULE }),
    ];
    await using fleet = new BtfFleet(staticNodes(nodes), { ...OPTIONS, concurrency: 1 });
    const { builds, complete } = await fleet.resolveMembers(['module_struct.a'], { object: 'm' });
    const summary = builds.map(({ nodes: names, value, error }) => ({
      names,
      offset: value?.[0]?.result.member?.bitOffset,
      reason: error?.reason,
    }));
    expect(summary).toEqual([
      { names: ['a', 'b'], offset: 0, reason: undefined },
      { names: ['d', 'e'], offset: undefined, reason: 'NAME_NOT_FOUND' },
      { names: ['c'], offset: 32, reason: undefined },
    ]);
    // That a module is not there is an answer too.
    expect(complete).toBe(true);
    expect(fakes.calls('resolveMembers')).toBe(3);
  });

  test.each([
    ['the release', { release: true }, 3],
    ['all modules', { modules: 'all' }, 2],
    ['nothing but vmlinux', {}, 1],
  ] as const)('that depends on %s is asked accordingly', async (_, dependencies, asked) => {
    await using fakes = new Fakes();
    const nodes = [
      await fakes.start('a', NEW_KERNEL, {}, { kernelRelease: '6.1.0' }),
      await fakes.start('b', NEW_KERNEL, {}, { kernelRelease: '6.2.0' }),
      await fakes.start('c', NEW_KERNEL, {}, { kernelRelease: '6.1.0' }),
      await fakes.start('d', NEW_KERNEL, { m: MODULE }, { kernelRelease: '6.3.0' }),
    ];
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const answer = await fleet.askEachBuild({ ask: async ({ node }) => node, dependsOn: () => dependencies });
    expect(answer.builds).toHaveLength(asked);
    expect(answer.complete).toBe(true);
    const releases = answer.builds.map(({ build }) => build.releases);
    if (asked === 1) expect(releases).toEqual([['6.1.0', '6.2.0', '6.3.0']]);
  });

  test('about a module asks a node once whether an answer is also its own', async () => {
    await using fakes = new Fakes();
    const nodes = [];
    for (const [index, name] of ['a', 'b', 'c', 'd', 'e'].entries())
      nodes.push(await fakes.start(name, NEW_KERNEL, { m: MODULE, [`other${index}`]: MODULE }));
    const last = await fakes.start('last', NEW_KERNEL, { m: OTHER_MODULE });
    await using fleet = new BtfFleet(staticNodes([...nodes, last]), { ...OPTIONS, concurrency: 1 });
    const { builds } = await fleet.resolveMembers(['module_struct.a'], { object: 'm' });
    expect(builds.map(({ nodes: names }) => names.length)).toEqual([5, 1]);
    // The other one reads the digest of its own answer.
    expect(last.daemon.callsOf('iterateHandles')).toHaveLength(2);
  });

  test('goes to the next node of the build, and to three at most', async () => {
    await using fakes = new Fakes();
    const nodes = await fakes.startMany(5, 'n', NEW_KERNEL);
    await using fleet = new BtfFleet(staticNodes(nodes), { ...OPTIONS, concurrency: 1 });
    const fail = (daemon: (typeof nodes)[number]['daemon']): void =>
      daemon.failNext('resolveMembers', { code: status.INTERNAL });
    for (const { daemon } of nodes.slice(0, 2)) fail(daemon);
    const first = await fleet.resolveMembers([START]);
    expect(kindsOf(first.nodes)).toEqual({
      n0: 'failed',
      n1: 'failed',
      n2: 'answered',
      n3: 'inferred',
      n4: 'inferred',
    });
    expect([first.complete, first.builds[0]?.error, first.builds[0]?.value?.length]).toEqual([
      false,
      null,
      1,
    ]);
    for (const { daemon } of nodes.slice(0, 3)) fail(daemon);
    const second = await fleet.resolveMembers([START]);
    expect(fakes.calls('resolveMembers')).toBe(6);
    expect(new Set(Object.values(kindsOf(second.nodes)))).toEqual(new Set(['failed']));
    expect(second.builds).toMatchObject([{ value: null, error: { code: status.INTERNAL } }]);
  });

  test('that is itself wrong is asked once for each build', async () => {
    await using fakes = new Fakes();
    const nodes = [await fakes.start('a', NEW_KERNEL), await fakes.start('b', NEW_KERNEL)];
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const { builds } = await fleet.resolveMembers(['task_struct.pid'], { object: 'no_such_module' });
    expect(builds).toMatchObject([{ nodes: ['a', 'b'], value: null, error: { reason: 'NAME_NOT_FOUND' } }]);
    expect(fakes.calls('resolveMembers')).toBe(1);
  });

  test('whose function throws another error ends with it', async () => {
    await using fakes = new Fakes();
    const nodes = [await fakes.start('a', NEW_KERNEL), await fakes.start('b', OLD_KERNEL)];
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const mistake = new TypeError('a mistake of the program');
    await expect(
      fleet.askEachBuild(async () => {
        throw mistake;
      }),
    ).rejects.toBe(mistake);
  });

  test('uses the last survey, unless the node was booted since', async () => {
    await using fakes = new Fakes();
    const node = await fakes.start('a', NEW_KERNEL);
    await using fleet = new BtfFleet(staticNodes([node]), OPTIONS);
    await fleet.inventory();
    const surveyed = fakes.calls('getServerInfo');
    expect((await fleet.resolveMembers([START])).complete).toBe(true);
    // Only whether it is the same boot.
    expect(fakes.calls('getServerInfo')).toBe(surveyed + 1);
    await node.daemon.restart({ reboot: true });
    const after = await fleet.resolveMembers([START]);
    expect(after.nodes.get('a')).toMatchObject({
      kind: 'unreachable',
      error: { rawMessage: expect.stringContaining('was booted after it was surveyed') },
    });
    expect((await fleet.resolveMembers([START])).complete).toBe(true);
  });
});

test('Types are found by glob and kind, and the BTF of each build is transferred once', async () => {
  await using fakes = new Fakes();
  const nodes = [
    ...(await fakes.startMany(3, 'old', OLD_KERNEL)),
    ...(await fakes.startMany(3, 'new', NEW_KERNEL)),
  ];
  await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
  const { builds } = await fleet.findTypes('*t*', { kinds: ['STRUCT'] });
  expect(builds.map(({ value }) => value)).toEqual([
    [{ id: 2, kind: 'STRUCT', name: 'task_struct' }],
    [{ id: 2, kind: 'STRUCT', name: 'task_struct' }],
  ]);
  expect(fakes.calls('spec')).toBe(2);
  await expect(fleet.findTypes('[')).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
});

test.each<[string, BtfFleetOptions & Record<string, unknown>, string]>([
  ['concurrency', { concurrency: 0 }, 'must be an integer from 1 to 10000'],
  ['connectTimeout', { connectTimeout: 0 }, 'must be a number of milliseconds above 0'],
  ['timeout', { timeout: Number.NaN }, 'must be a number of milliseconds above 0'],
  ['retries', { retries: 3 }, 'unknown option'],
  ['tls.ca', { tls: { ca: 'no PEM' } }, 'must be certificates in PEM'],
])('The option %s is checked at once', (field, options, message) => {
  const make = (): BtfFleet => new BtfFleet(staticNodes([]), options);
  expect(make).toThrow(BtfError);
  expect(make).toThrow(`${field}: ${message}`);
});
