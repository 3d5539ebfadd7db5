import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { BtfError, status } from '@btfd/client';
import { BtfFleet, type BtfFleetOptions } from './fleet.js';
import type { FleetNode, NodeSource } from './source/node-source.js';
import { staticNodes } from './source/static-nodes.js';
import { Fakes } from './testing/fakes.js';
import { kernelBtf, structBtf } from './testing/kernels.js';
import { deadAddress, oldDaemon, silentNode } from './testing/stand-ins.js';

const OLD_KERNEL = kernelBtf('pid', 'real_start_time');
const NEW_KERNEL = kernelBtf('pid', 'start_boottime');
const MODULE = structBtf('module_struct', ['a']);
const OTHER_MODULE = structBtf('module_struct', ['b', 'a']);
const START = 'task_struct.start_boottime|task_struct.real_start_time';
/** A node that does not respond is found out soon, and a busy machine is not taken for one. */
const OPTIONS: BtfFleetOptions = { connectTimeout: 3_000 };

function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Lists nodes by the test's own rules. */
function sourceOf(list: NodeSource['list']): NodeSource {
  return { description: 'the test', list };
}

function kindsOf(nodes: ReadonlyMap<string, { readonly kind: string }>): Record<string, string> {
  return Object.fromEntries([...nodes].map(([name, { kind }]) => [name, kind]));
}

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

describe('A survey', () => {
  test('has one outcome for each node, whatever is wrong with it', async () => {
    await using fakes = new Fakes();
    await using silent = await silentNode();
    const digests = { vmlinux: sha256(NEW_KERNEL), m: sha256(MODULE) };
    await using old = await oldDaemon([
      { name: 'vmlinux', digest: digests.vmlinux },
      { name: 'm', digest: digests.m },
    ]);
    const refusing = await fakes.start('refusing', NEW_KERNEL);
    refusing.daemon.failNext('getServerInfo', { code: status.PERMISSION_DENIED, reason: 'ROLE_FORBIDS' });
    const failing = await fakes.start('failing', NEW_KERNEL);
    failing.daemon.failNext('getServerInfo', { code: status.INTERNAL });
    const well = await fakes.start('well', NEW_KERNEL, { m: MODULE });
    const nodes: FleetNode[] = [
      refusing,
      failing,
      well,
      { name: 'again', address: well.address },
      { name: 'other-way', address: well.address.replace('127.0.0.1', 'localhost') },
      { name: 'dead', address: await deadAddress() },
      { name: 'silent', address: silent.address },
      { name: 'old', address: old.address },
      { name: 'away', address: 'host.invalid:1' },
      { name: 'bad', address: 'no-port' },
      { name: 'unready', address: 'host.invalid:2', ready: false },
    ];
    await using fleet = new BtfFleet(staticNodes(nodes), { ...OPTIONS, connectTimeout: 1_500 });
    const outcomes: Record<string, string> = {};
    for await (const { name, outcome, build } of fleet.survey()) {
      expect(outcomes).not.toHaveProperty(name);
      outcomes[name] = outcome.kind;
      expect(build === null).toBe(outcome.kind !== 'answered');
      // An old daemon has the same digests, from the list of its objects.
      if (build !== null) {
        expect(build).toMatchObject({
          digest: digests.vmlinux.toString('hex'),
          modulesDigest: sha256('m\0', digests.m).toString('hex'),
          moduleCount: 1,
        });
      }
    }
    const ways = ['well', 'other-way'].map((name) => outcomes[name]);
    expect(new Set(ways)).toEqual(new Set(['answered', 'duplicate']));
    expect({ ...outcomes, well: '', 'other-way': '' }).toEqual({
      refusing: 'refused',
      failing: 'failed',
      well: '',
      again: 'duplicate',
      'other-way': '',
      dead: 'unreachable',
      silent: 'unreachable',
      old: 'answered',
      away: 'unreachable',
      bad: 'failed',
      unready: 'not-ready',
    });
  });

  test('says that a daemon is too old to compute digests', async () => {
    await using old = await oldDaemon([{ name: 'vmlinux', digest: new Uint8Array() }]);
    await using fleet = new BtfFleet(staticNodes([{ name: 'old', address: old.address }]), OPTIONS);
    const { nodes, complete } = await fleet.inventory();
    expect([kindsOf(nodes), complete]).toEqual([{ old: 'unsupported' }, false]);
  });

  test('names nodes without a name as their daemons do, and never two with one name', async () => {
    await using fakes = new Fakes();
    const addresses = [];
    for (const name of ['web1', 'web1', '', 'two words', '\u001b[2J'])
      addresses.push((await fakes.start(name, NEW_KERNEL)).address);
    await using fleet = new BtfFleet(staticNodes(addresses), { ...OPTIONS, concurrency: 1 });
    const { builds } = await fleet.inventory();
    expect(new Set(builds[0]?.nodes)).toEqual(new Set(['web1', ...addresses.slice(1)]));
  });

  test('opens no more connections than allowed', async () => {
    await using fakes = new Fakes();
    const nodes = await fakes.startMany(12, 'n', NEW_KERNEL);
    const gates = nodes.map(({ daemon }) => daemon.stall('getServerInfo'));
    await using fleet = new BtfFleet(staticNodes(nodes), { ...OPTIONS, concurrency: 4 });
    const inventory = fleet.inventory();
    const asked = (): number => nodes.filter(({ daemon }) => daemon.calls.length > 0).length;
    while (asked() < 4) await setTimeout(5);
    await setTimeout(100);
    expect(asked()).toBe(4);
    for (const open of gates) open();
    expect((await inventory).complete).toBe(true);
  });

  test('ends when its loop is left', async () => {
    await using fakes = new Fakes();
    const nodes = [await fakes.start('a', NEW_KERNEL), await fakes.start('b', NEW_KERNEL)];
    const go = nodes[1]?.daemon.stall('getServerInfo');
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    for await (const { name } of fleet.survey()) {
      expect(name).toBe('a');
      break;
    }
    const states = (): (string | undefined)[] => nodes[1]?.daemon.calls.map(({ state }) => state) ?? [];
    while (states().includes('running')) await setTimeout(5);
    expect(states()).toEqual(['cancelled']);
    go?.();
  });

  test.each<[string, NodeSource['list'], string]>([
    ['cannot list', async () => Promise.reject(new Error('no such Service')), 'no such Service'],
    ['lists a bad name', async () => [{ name: 'a b', address: 'h:1' }], 'the test lists a bad node at 0'],
  ])('of a source that %s rejects', async (_, list, message) => {
    await using fleet = new BtfFleet(sourceOf(list));
    await expect(fleet.inventory()).rejects.toThrow(message);
    await expect(fleet.survey().next()).rejects.toThrow(message);
    await expect(fleet.resolveMembers([START])).rejects.toThrow(message);
  });
});

describe('The deadline of the whole', () => {
  test('returns what is there, also while nodes are silent', async () => {
    await using fakes = new Fakes();
    await using silent = await silentNode();
    const slow = await fakes.start('slow', OLD_KERNEL);
    const go = slow.daemon.stall('resolveMembers');
    const nodes = [
      ...Array.from({ length: 3 }, (_, i) => ({ name: `silent${i}`, address: silent.address })).slice(0, 1),
      slow,
      await fakes.start('well', NEW_KERNEL),
    ];
    const options = { connectTimeout: 60_000, timeout: 60_000 };
    await using fleet = new BtfFleet(staticNodes(nodes), options);
    const answer = await fleet.resolveMembers([START], { deadline: 4_000 });
    expect(kindsOf(answer.nodes)).toEqual({ silent0: 'late', slow: 'late', well: 'answered' });
    expect(answer.complete).toBe(false);
    expect(answer.builds.map(({ nodes: names, error }) => [names, error?.code])).toEqual([
      [['slow'], status.DEADLINE_EXCEEDED],
      [['well'], undefined],
    ]);
    go();
    const inventory = await fleet.inventory({ deadline: 1_000 });
    expect(kindsOf(inventory.nodes)).toMatchObject({ silent0: 'late' });
    expect(inventory.complete).toBe(false);
  });

  test('ends a source that hangs, and a function that ignores its signal', async () => {
    await using fakes = new Fakes();
    await using hanging = new BtfFleet(sourceOf(async () => new Promise<never>(() => {})));
    const nothing = { builds: [], nodes: new Map(), complete: false };
    expect(await hanging.resolveMembers([START], { deadline: 50 })).toEqual(nothing);
    expect(await hanging.inventory({ deadline: 50 })).toEqual(nothing);
    await using fleet = new BtfFleet(staticNodes([await fakes.start('a', NEW_KERNEL)]), OPTIONS);
    const answer = await fleet.askEachBuild(async () => new Promise<never>(() => {}), { deadline: 2_000 });
    expect(kindsOf(answer.nodes)).toEqual({ a: 'late' });
  });
});

describe('A question that is aborted', () => {
  async function stalled(fakes: Fakes): Promise<BtfFleet> {
    const node = await fakes.start('a', NEW_KERNEL);
    node.daemon.stall('resolveMembers');
    return new BtfFleet(staticNodes([node]), OPTIONS);
  }

  test('rejects with the reason of its signal, and its calls are cancelled', async () => {
    await using fakes = new Fakes();
    await using fleet = await stalled(fakes);
    const leaving = new AbortController();
    const asking = fleet.resolveMembers([START], { signal: leaving.signal });
    while (fakes.calls('resolveMembers') === 0) await setTimeout(5);
    const reason = new Error('enough');
    leaving.abort(reason);
    await expect(asking).rejects.toBe(reason);
    while (fakes.daemons[0]?.callsOf('resolveMembers')[0]?.state === 'running') await setTimeout(5);
    await expect(fleet.inventory({ signal: leaving.signal })).rejects.toBe(reason);
    await expect(fleet.survey({ signal: leaving.signal }).next()).rejects.toBe(reason);
  });

  test('by closing the fleet rejects with CLIENT_CLOSED, and so do later ones', async () => {
    await using fakes = new Fakes();
    const fleet = await stalled(fakes);
    const asking = fleet.resolveMembers([START]).catch((error: unknown) => error);
    while (fakes.calls('resolveMembers') === 0) await setTimeout(5);
    await fleet.close();
    expect(await asking).toMatchObject({ reason: 'CLIENT_CLOSED' });
    await expect(fleet.inventory()).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
    await fleet.close();
  });
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
