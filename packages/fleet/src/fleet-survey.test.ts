import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { status } from '@btfd/client';
import { BtfFleet } from './fleet.js';
import type { FleetNode } from './source/node-source.js';
import { staticNodes } from './source/static-nodes.js';
import { Fakes } from './testing/fakes.js';
import { kindsOf, OPTIONS, sha256, sourceOf } from './testing/fleets.js';
import { MODULE, NEW_KERNEL, START } from './testing/kernels.js';
import { deadAddress, oldDaemon, silentNode } from './testing/stand-ins.js';

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
    const failing = await fakes.start('failing', NEW_KERNEL);
    // Several times: on a busy machine, a node that was starved is asked once more.
    for (let time = 0; time < 4; time++) {
      refusing.daemon.failNext('getServerInfo', { code: status.PERMISSION_DENIED, reason: 'ROLE_FORBIDS' });
      failing.daemon.failNext('getServerInfo', { code: status.INTERNAL });
    }
    const well = await fakes.start('well', NEW_KERNEL, { m: MODULE });
    const nodes: FleetNode[] = [
      refusing,
      failing,
      well,
      { name: 'again', address: well.address },
      { name: 'other-way', address: well.address.replace('127.0.0.1', 'localhost') },
      { name: 'dead', address: deadAddress() },
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
      // This process itself may be what did not run, on a busy machine.
      silent: expect.stringMatching(/^(unreachable|starved)$/),
      old: 'answered',
      away: 'unreachable',
      bad: 'failed',
      unready: 'not-ready',
    });
  });

  test('does not take nodes of other kernels for one daemon because they say one epoch', async () => {
    await using one = await oldDaemon([{ name: 'vmlinux', digest: sha256('one') }]);
    await using other = await oldDaemon([{ name: 'vmlinux', digest: sha256('other') }]);
    const nodes = [one, other].map(({ address }, index) => ({ name: `n${index}`, address }));
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const { builds, nodes: outcomes } = await fleet.inventory();
    expect(kindsOf(outcomes)).toEqual({ n0: 'answered', n1: 'answered' });
    expect(builds).toHaveLength(2);
  });

  test('does not keep long texts of daemons', async () => {
    await using fakes = new Fakes();
    const nodes = [
      await fakes.start('long', NEW_KERNEL, {}, { kernelRelease: 'r'.repeat(65) }),
      await fakes.start('well', NEW_KERNEL, {}, { kernelRelease: 'r'.repeat(64) }),
    ];
    await using old = await oldDaemon([{ name: 'vmlinux', digest: new Uint8Array(33) }]);
    const all = [...nodes, { name: 'digest', address: old.address }];
    await using fleet = new BtfFleet(staticNodes(all), OPTIONS);
    const outcomes = (await fleet.inventory()).nodes;
    expect(kindsOf(outcomes)).toEqual({ long: 'failed', well: 'answered', digest: 'failed' });
    expect(outcomes.get('long')).toMatchObject({ error: { reason: 'INVALID_RESPONSE' } });
  });

  test('refuses a daemon that lists more objects than a kernel has', async () => {
    const objects = Array.from({ length: 65_537 }, (_, index) => ({
      name: `m${index}`,
      digest: sha256('m'),
    }));
    await using endless = await oldDaemon([{ name: 'vmlinux', digest: sha256('v') }, ...objects]);
    const patient = { connectTimeout: 60_000, timeout: 120_000 };
    await using fleet = new BtfFleet(staticNodes([{ name: 'n', address: endless.address }]), patient);
    expect((await fleet.inventory()).nodes.get('n')).toMatchObject({
      kind: 'failed',
      error: { reason: 'INVALID_RESPONSE', rawMessage: 'the daemon lists more than 65536 objects' },
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

  test('does not let a daemon take the address of another node as its name', async () => {
    await using fakes = new Fakes();
    const victim = await fakes.start('', NEW_KERNEL);
    const dead = deadAddress();
    const thieves = [await fakes.start(victim.address, NEW_KERNEL), await fakes.start(dead, NEW_KERNEL)];
    const addresses = [...thieves, victim].map(({ address }) => address).concat(dead);
    await using fleet = new BtfFleet(staticNodes(addresses), { ...OPTIONS, concurrency: 1 });
    expect([...(await fleet.inventory()).nodes.keys()].toSorted()).toEqual(addresses.toSorted());
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

  test('of a source that cannot list rejects', async () => {
    const message = 'no such Service';
    await using fleet = new BtfFleet(sourceOf(async () => Promise.reject(new Error(message))));
    await expect(fleet.inventory()).rejects.toThrow(message);
    await expect(fleet.survey().next()).rejects.toThrow(message);
    await expect(fleet.resolveMembers([START])).rejects.toThrow(message);
  });

  test('of a source that lists a bad name gives that node its outcome', async () => {
    await using fleet = new BtfFleet(sourceOf(async () => [{ name: 'a b', address: 'h:1' }]));
    const { nodes, complete } = await fleet.inventory();
    expect(complete).toBe(false);
    expect([...nodes.values()]).toMatchObject([
      { kind: 'failed', error: { rawMessage: expect.stringContaining('bad node of the test: its name') } },
    ]);
  });
});
