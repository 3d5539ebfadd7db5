import { describe, expect, test } from '@jest/globals';
import { Spec } from '@btfd/btf';
import { BtfFleet } from '../fleet.js';
import { staticNodes } from '../source/static-nodes.js';
import { Fakes } from '../testing/fakes.js';
import { kindsOf, OPTIONS, sha256 } from '../testing/fleets.js';
import { kernelBtf, MODULE, NEW_KERNEL, OLD_KERNEL, OTHER_MODULE } from '../testing/kernels.js';
import { deadAddress } from '../testing/stand-ins.js';

const TYPES = { types: ['task_struct'] };

/** The names of nodes, of the members that are gone, and of new members. */
type Summary = [nodes: readonly string[], removed: readonly string[], added: readonly string[]];

function summaryOf({ builds }: Awaited<ReturnType<BtfFleet['diff']>>): Summary[] {
  return builds.map(({ nodes, value }) => {
    const names = (side: 'removed' | 'added'): string[] =>
      (value?.changed ?? []).flatMap(({ members }) => members[side].map(({ name }) => name));
    return [nodes, names('removed'), names('added')];
  });
}

describe('The types of each build', () => {
  test('are compared with those of a node, a build or a Spec, and BTF moves once for each digest', async () => {
    await using fakes = new Fakes();
    const nodes = [
      ...(await fakes.startMany(3, 'old', OLD_KERNEL)),
      ...(await fakes.startMany(2, 'new', NEW_KERNEL)),
      { name: 'dead', address: deadAddress() },
    ];
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const expected: Summary[] = [
      [['old0', 'old1', 'old2'], ['start_boottime'], ['real_start_time']],
      [['new0', 'new1'], [], []],
    ];
    const answer = await fleet.diff({ from: '@new1', ...TYPES });
    expect(summaryOf(answer)).toEqual(expected);
    expect(answer.complete).toBe(false);
    expect(Object.values(kindsOf(answer.nodes)).toSorted()).toEqual([
      'answered',
      'answered',
      'inferred',
      'inferred',
      'inferred',
      'unreachable',
    ]);
    expect(answer.builds[1]?.value).toEqual({ added: [], removed: [], changed: [], same: 1 });
    expect(fakes.calls('spec')).toBe(2);
    const digest = sha256(NEW_KERNEL).toString('hex');
    expect(summaryOf(await fleet.diff({ from: digest.slice(0, 8), ...TYPES }))).toEqual(expected);
    expect(summaryOf(await fleet.diff({ from: Spec.parse(NEW_KERNEL), ...TYPES }))).toEqual(expected);
    // Later questions use what is kept.
    expect(fakes.calls('spec')).toBe(2);
  });

  test('are transferred again if no room is left for them', async () => {
    await using fakes = new Fakes();
    const nodes = [await fakes.start('a', OLD_KERNEL), await fakes.start('b', NEW_KERNEL)];
    await using fleet = new BtfFleet(staticNodes(nodes), { ...OPTIONS, specCacheBytes: 0 });
    for (const transfers of [3, 6]) {
      expect((await fleet.diff({ from: '@a' })).complete).toBe(true);
      expect(fakes.calls('spec')).toBe(transfers);
    }
  });

  test('of a module are compared on the nodes that have it, once for each of its builds', async () => {
    await using fakes = new Fakes();
    const nodes = [
      await fakes.start('a', NEW_KERNEL, { m: MODULE }),
      await fakes.start('b', NEW_KERNEL, { m: MODULE, other: OTHER_MODULE }),
      await fakes.start('c', NEW_KERNEL, { m: OTHER_MODULE }),
      await fakes.start('d', NEW_KERNEL),
    ];
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const answer = await fleet.diff({ from: '@a', object: 'm' });
    expect(answer.complete).toBe(true);
    expect(summaryOf(answer)).toEqual([
      [['a', 'b'], [], []],
      [['c'], [], ['b']],
      [['d'], [], []],
    ]);
    expect(answer.builds[2]?.error).toMatchObject({ reason: 'NAME_NOT_FOUND' });
  });

  test('are not compared with those of nothing', async () => {
    await using fakes = new Fakes();
    const address = deadAddress();
    const nodes = [await fakes.start('a', OLD_KERNEL), { name: 'dead', address }];
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const fails = async (from: string): Promise<unknown> =>
      fleet.diff({ from, ...TYPES }).catch(({ message }: Error) => message);
    expect(await fails('@b')).toContain('the fleet has no node b');
    expect(await fails('@dead')).toContain(`cannot connect to ${address}`);
    expect(await fails('0123456789')).toContain('no node answered that runs build 0123456789');
    expect(await fails('web1')).toContain('from: must be @NODE, 8 to 64 characters of a digest, or a Spec');
    await expect(fleet.diff({ from: '@a', types: ['['] })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
    await expect(fleet.diff({ from: '@a', deadline: 1e-3 })).rejects.toThrow('deadline of the whole');
  });
});

test('The damaged BTF of one build keeps no other build from being asked', async () => {
  await using fakes = new Fakes();
  const damaged = kernelBtf('pid');
  // The name of the last member, in the last type before the strings.
  const { typeOffset, typeLength } = {
    typeOffset: 24,
    typeLength: new DataView(damaged.buffer).getUint32(12, true),
  };
  new DataView(damaged.buffer).setUint32(typeOffset + typeLength - 12, 0xffff, true);
  const nodes = [await fakes.start('bad', damaged), await fakes.start('well', NEW_KERNEL)];
  await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
  const { builds } = await fleet.diff({ from: '@well', ...TYPES });
  expect(builds.map(({ nodes: names, error }) => [names, error?.reason])).toEqual([
    [['bad'], 'BTF_UNDECODABLE'],
    [['well'], undefined],
  ]);
});
