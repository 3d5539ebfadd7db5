import { describe, expect, test } from '@jest/globals';
import { distinctNodes, ownName } from './distinct-nodes.js';
import { listNodes, MAX_NODES } from './check-nodes.js';
import { staticNodes } from './static-nodes.js';
import type { FleetNode } from './node-source.js';

const SIGNAL = new AbortController().signal;

describe('Nodes that are listed twice', () => {
  test('with one name are one node, and the first that is ready wins', () => {
    const old = { name: 'web1', address: '10.0.0.1:1', ready: false };
    const [v4, v6] = [
      { name: 'web1', address: '10.0.0.2:1' },
      { name: 'web1', address: '[fd00::2]:1' },
    ];
    expect(distinctNodes([old, v4, v6])).toEqual({ nodes: [v4], duplicates: new Map() });
    expect(distinctNodes([old])).toEqual({ nodes: [old], duplicates: new Map() });
  });

  test('with one address are one node, and the other name is a duplicate', () => {
    const nodes = [
      { name: 'a', address: 'Host:1' },
      { name: 'b', address: 'host:1' },
      { address: 'host:1' },
      { address: 'host:2' },
      { name: 'c', address: 'host:2' },
    ];
    expect(distinctNodes(nodes)).toEqual({
      nodes: [nodes[0], nodes[3]],
      duplicates: new Map([
        ['b', 'a'],
        ['c', 'host:2'],
      ]),
    });
  });

  test('with a problem have no address, and one name with another node if that has none', () => {
    const bad = { name: 'web1', address: '', problem: 'no address' };
    const other = { name: 'web2', address: '', problem: 'no address' };
    const good = { name: 'web2', address: 'host:1' };
    expect(distinctNodes([bad, other, good])).toEqual({ nodes: [bad, good], duplicates: new Map() });
  });

  test('have different names in results, also if one is named like the address of another', () => {
    const named = { name: '127.0.0.1:1', address: 'host:1' };
    const other = { address: '127.0.0.1:1' };
    const { nodes, duplicates } = distinctNodes([named, other]);
    expect(nodes.map(ownName)).toEqual([named.name, expect.stringMatching(/^127\.0\.0\.1:1~[0-9a-f]{8}$/)]);
    expect(duplicates.size).toBe(0);
    // The source gave the other one no name, and it keeps its own name if it is listed alone.
    expect(nodes[1]?.name).toBeUndefined();
    expect(distinctNodes(nodes.slice(1)).nodes.map(ownName)).toEqual(nodes.slice(1).map(ownName));
    expect(distinctNodes([{ ...other, name: other.address }, other]).nodes).toHaveLength(1);
  });

  test('have different addresses if only the case of a socket’s path differs', () => {
    expect(distinctNodes([{ address: 'unix:/A' }, { address: 'unix:/a' }]).nodes).toHaveLength(2);
  });
});

describe('A source', () => {
  const source = (nodes: readonly FleetNode[]) => ({ description: 'the test', list: async () => nodes });

  test.each<[string, FleetNode]>([
    ['its name', { name: 'a\u001b[2J', address: 'host:1' }],
    ['its name', { name: 'a b', address: 'host:1' }],
    ['its name', { name: 'n'.repeat(254), address: 'host:1' }],
    ['its address', { address: 'host\n:1' }],
    ['its address', { address: `${'h'.repeat(512)}:1` }],
    ['its address', { address: '' }],
    ['its problem', { address: '', problem: 'a\u0007' }],
    ['its server name', { address: 'host:1', serverName: 'a\0b' }],
    ['a label', { address: 'host:1', labels: { zone: 'a\u0007' } }],
    ['a label', { address: 'host:1', labels: { ['k'.repeat(318)]: '' } }],
    [
      'it has more than 64 labels',
      { address: 'host:1', labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])) },
    ],
  ])('whose node is not bounded and printable says so of that node alone: %s', async (problem, bad) => {
    const good = { address: 'host:1' };
    const nodes = await listNodes(source([good, bad, good]), SIGNAL);
    const name = expect.stringMatching(/^[!-~]{1,110}$/);
    const text = expect.stringContaining(`bad node of the test: ${problem}`);
    expect(nodes).toEqual([good, { name, address: '', problem: text }, good]);
    // It can be listed again.
    expect(await listNodes(source(nodes), SIGNAL)).toEqual(nodes);
    expect(() => staticNodes([bad])).toThrow(problem);
  });

  test.each<[string, unknown, string]>([
    ['node?2~', {}, 'its address'],
    ['node?2~', null, 'it is not an object'],
    ['node?2~', 'host:2', 'it is not an object'],
    ['host:2', { name: 5, address: 'host:2' }, 'its name'],
    ['web', { name: 'web', address: 7 }, 'its address'],
    ['web', { name: 'web', address: 'host:2', labels: null }, 'its labels'],
    ['web', { name: 'web', address: 'host:2', labels: { zone: 1 } }, 'its labels'],
  ])('that passes on what it has parsed hides no other node: %s, %j', async (name, bad, problem) => {
    const good = { address: 'host:1' };
    const parsed: FleetNode[] = JSON.parse(JSON.stringify([good, bad]));
    const text = expect.stringContaining(`bad node of the test: ${problem}`);
    expect(await listNodes(source(parsed), SIGNAL)).toEqual([
      good,
      { name: expect.stringContaining(name), address: '', problem: text },
    ]);
  });

  test('lists 10,000 nodes and not one more', async () => {
    const nodes = Array.from({ length: MAX_NODES + 1 }, (_, index) => ({ address: `host:${index}` }));
    expect(await listNodes(source(nodes.slice(1)), SIGNAL)).toHaveLength(MAX_NODES);
    await expect(listNodes(source(nodes), SIGNAL)).rejects.toThrow(
      'lists 10001 nodes: a fleet has at most 10000',
    );
    expect(() => staticNodes(nodes)).toThrow('must be at most 10000, not 10001');
  });

  test.each(['null', '{}', '"host:1"'])('lists an array, and not %s', async (text) => {
    const broken = { description: 'the test', list: () => JSON.parse(text) };
    await expect(listNodes(broken, SIGNAL)).rejects.toMatchObject({
      reason: 'INVALID_RESPONSE',
      rawMessage: 'the test must list an array of nodes',
    });
  });

  test('that ignores the signal does not keep the fleet waiting', async () => {
    const leaving = new AbortController();
    const hanging = { description: 'the test', list: async () => new Promise<never>(() => {}) };
    const listing = listNodes(hanging, leaving.signal);
    leaving.abort(new Error('enough'));
    await expect(listing).rejects.toThrow('enough');
  });

  test('of nodes that are known refuses a name that is there twice', () => {
    expect(() => staticNodes([{ name: 'a', address: 'h:1' }, 'h:2', { name: 'a', address: 'h:3' }])).toThrow(
      'nodes[2].name: "a" is there twice',
    );
  });
});
