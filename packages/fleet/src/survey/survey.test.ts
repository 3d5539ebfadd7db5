import { describe, expect, test } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { BtfError, status } from '@btfd/client';
import { BtfFleet } from '../fleet.js';
import { Pace } from '../pace/pace.js';
import { distinctNodes } from '../source/distinct-nodes.js';
import { staticNodes } from '../source/static-nodes.js';
import { Fakes } from '../testing/fakes.js';
import { kernelBtf } from '../testing/kernels.js';
import { kindsOf, OPTIONS } from '../testing/fleets.js';
import { silentNode } from '../testing/stand-ins.js';
import { NodeMemory } from './known-node.js';
import { NodeClients } from './node-client.js';
import { Survey, type SurveyedNode } from './survey.js';

describe('A node that does not respond in time', () => {
  /** Surveys a silent node while the event loop is late by some time. */
  async function surveyed(late: (times: number) => number): Promise<SurveyedNode[]> {
    await using silent = await silentNode();
    let times = 0;
    const loop = { lostSince: () => late((times += 1)) };
    const found: SurveyedNode[] = [];
    const context = {
      source: staticNodes([{ name: 'silent', address: silent.address }]),
      pace: new Pace(1, { delaySince: () => 0 }),
      loop,
      memory: new NodeMemory(),
      memoryUse: 'none' as const,
      clients: new NodeClients({}),
      connectTimeout: 200,
      // Also the last attempt takes no longer than a connection may.
      timeout: 3_600_000,
    };
    await new Survey(context, (node) => found.push(node)).run(new AbortController().signal);
    return found;
  }

  test('is unreachable', async () => {
    expect((await surveyed(() => 900)).map(({ outcome }) => outcome.kind)).toEqual(['unreachable']);
  });

  test('is starved if this process did not run meanwhile, twice', async () => {
    const [node, ...others] = await surveyed(() => 2_000);
    expect(node?.outcome).toMatchObject({
      kind: 'starved',
      error: { rawMessage: expect.stringContaining('but this process did not run for 2000 ms of that time') },
    });
    expect(others).toEqual([]);
  });

  test('is asked once more, and then is unreachable if this process ran', async () => {
    const found = await surveyed((times) => (times === 1 ? 2_000 : 0));
    expect(found.map(({ outcome }) => outcome.kind)).toEqual(['unreachable']);
  });
});

test('A node that was asked once more is known if it responds', async () => {
  await using fakes = new Fakes();
  const node = await fakes.start('slow', kernelBtf('pid'));
  node.daemon.failNext('getServerInfo', { code: status.DEADLINE_EXCEEDED });
  const found: SurveyedNode[] = [];
  const loop = { lostSince: () => 2_000 };
  const context = {
    source: staticNodes([node]),
    pace: new Pace(1, { delaySince: () => 0 }),
    loop,
    memory: new NodeMemory(),
    memoryUse: 'none' as const,
    clients: new NodeClients({}),
    connectTimeout: 60_000,
    timeout: 60_000,
  };
  await new Survey(context, (each) => found.push(each)).run(new AbortController().signal);
  expect(found.map(({ outcome }) => outcome.kind)).toEqual(['answered']);
});

test('Infos are kept from the end of a survey, which may take longer than that', async () => {
  await using fakes = new Fakes();
  const nodes = await fakes.startMany(3, 'n', kernelBtf('pid'));
  let now = 0;
  const memory = new NodeMemory(60_000, () => now);
  const context = {
    source: staticNodes(nodes),
    pace: new Pace(1, { delaySince: () => 0 }),
    loop: { lostSince: () => 0 },
    memory,
    memoryUse: 'all' as const,
    clients: new NodeClients({}),
    connectTimeout: 60_000,
    timeout: 60_000,
  };
  const { signal } = new AbortController();
  // The survey takes two minutes.
  await new Survey(context, () => (now += 40_000)).run(signal);
  const kept = (): boolean[] => nodes.map(({ address }) => memory.get(address) !== null);
  now += 59_999;
  expect(kept()).toEqual([true, true, true]);
  // Infos that are only read do not stay longer.
  await new Survey(context, () => {}).run(signal);
  now += 1;
  expect(kept()).toEqual([false, false, false]);
  expect(fakes.calls('getServerInfo')).toBe(3);
});

test('A time limit may be Infinity', async () => {
  await using fakes = new Fakes();
  const node = await fakes.start('slow', kernelBtf('pid'));
  const go = node.daemon.stall('getServerInfo');
  await using fleet = new BtfFleet(staticNodes([node]), { connectTimeout: Infinity, timeout: Infinity });
  const asking = fleet.inventory();
  while (fakes.calls('getServerInfo') === 0) await setTimeout(5);
  go();
  expect((await asking).complete).toBe(true);
});

test('A daemon cannot take the name of a node that is listed twice', async () => {
  await using fakes = new Fakes();
  const a = await fakes.start('a', kernelBtf('pid'));
  const liar = await fakes.start('b', kernelBtf('pid'));
  const nodes = [a, { name: 'b', address: a.address }, { address: liar.address }];
  await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
  expect(kindsOf((await fleet.inventory()).nodes)).toEqual({
    a: 'answered',
    b: 'duplicate',
    [liar.address]: 'answered',
  });
});

describe('A node without a name whose address is the name of another node', () => {
  const setUp = async (fakes: Fakes, nodeName: string) => {
    const a = await fakes.start('a', kernelBtf('pid'));
    const b = await fakes.start('b', kernelBtf('pid'), {}, { nodeName });
    return { b: b.daemon, nodes: [{ name: b.address, address: a.address }, { address: b.address }] };
  };

  test('has the name that its daemon says', async () => {
    await using fakes = new Fakes();
    const { b, nodes } = await setUp(fakes, 'b');
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    expect(kindsOf((await fleet.inventory()).nodes)).toEqual({ [b.address]: 'answered', b: 'answered' });
  });

  test.each(['', 'taken'])('has a name made of its address if its daemon says %j', async (nodeName) => {
    await using fakes = new Fakes();
    const { b, nodes } = await setUp(fakes, nodeName);
    const taken = { name: 'taken', address: '127.0.0.1:1', ready: false };
    await using fleet = new BtfFleet(staticNodes([...nodes, taken]), OPTIONS);
    const names = [...(await fleet.inventory()).nodes.keys()];
    expect(names).toHaveLength(3);
    expect(names).toEqual(expect.arrayContaining(['taken', b.address]));
    expect(names.some((name) => name.startsWith(`${b.address}~`))).toBe(true);
  });

  test('has no name for a server name, as any other without one', async () => {
    await using fakes = new Fakes();
    const { nodes } = await setUp(fakes, 'b');
    const clients = new NodeClients({ tls: { serverName: '{name}.example' } });
    for (const node of distinctNodes(nodes).nodes.slice(1)) {
      expect(() => clients.open(node)).toThrow('the source gives the node no name: use {host}');
    }
    expect.assertions(1);
  });
});

test('An error of the function that hears of nodes ends the question, also a BtfError', async () => {
  await using fakes = new Fakes();
  const nodes = await fakes.startMany(2, 'n', kernelBtf('pid'));
  await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
  const mistake = new BtfError({ code: status.INTERNAL, reason: null, message: 'a mistake of the program' });
  const heard: string[] = [];
  const onNode = ({ name }: { readonly name: string }): never => {
    heard.push(name);
    throw mistake;
  };
  await expect(fleet.inventory({ onNode })).rejects.toBe(mistake);
  expect(new Set(heard).size).toBe(heard.length);
});

test('An error that is not of a node ends the survey', async () => {
  await using fakes = new Fakes();
  const nodes = await fakes.startMany(3, 'n', kernelBtf('pid'));
  const mistake = new TypeError('a mistake of the program');
  const metadata = (): never => {
    throw mistake;
  };
  await using fleet = new BtfFleet(staticNodes(nodes), { metadata, concurrency: 1 });
  await expect(fleet.inventory()).rejects.toBe(mistake);
  await expect(fleet.survey().next()).rejects.toBe(mistake);
  await expect(fleet.resolveMembers(['task_struct.pid'])).rejects.toBe(mistake);
});
