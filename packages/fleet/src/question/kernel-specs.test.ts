import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { status } from '@btfd/client';
import { BtfFleet } from '../fleet.js';
import { staticNodes } from '../source/static-nodes.js';
import { Fakes, type FakeNode } from '../testing/fakes.js';
import { OPTIONS } from '../testing/fleets.js';
import { NEW_KERNEL } from '../testing/kernels.js';

/** Bytes of BTF that daemons sent to their end. */
function movedBytes(fakes: Fakes): number {
  const calls = fakes.daemons.flatMap((daemon) => daemon.callsOf('spec'));
  return calls.filter(({ state }) => state === 'answered').length * NEW_KERNEL.length;
}

test.each([undefined, 0])(
  'Questions at one time transfer a build once, of which %s bytes are kept',
  async (specCacheBytes) => {
    await using fakes = new Fakes();
    const nodes = await fakes.startMany(2, 'n', NEW_KERNEL);
    await using fleet = new BtfFleet(staticNodes(nodes), { ...OPTIONS, specCacheBytes });
    await fleet.inventory();
    const gates = nodes.map(({ daemon }) => daemon.stall('spec'));
    const questions = Array.from({ length: 4 }, async () => fleet.findTypes('task_*'));
    // Each asks whether the node was booted meanwhile, and then needs the BTF.
    while (fakes.calls('getServerInfo') < nodes.length + questions.length) await setTimeout(5);
    while (fakes.calls('spec') === 0) await setTimeout(5);
    await setTimeout(100);
    for (const open of gates) open();
    const answers = await Promise.all(questions);
    expect(answers.map(({ builds }) => builds[0]?.value?.length)).toEqual([1, 1, 1, 1]);
    expect(movedBytes(fakes)).toBe(NEW_KERNEL.length);
    expect(fakes.calls('spec')).toBe(1);
  },
);

test('A question that is aborted during a transfer does not break those that wait for it', async () => {
  await using fakes = new Fakes();
  const nodes = await fakes.startMany(2, 'n', NEW_KERNEL);
  await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
  await fleet.inventory();
  const gates = nodes.map(({ daemon }) => daemon.stall('spec'));
  const leaving = new AbortController();
  const first = fleet.findTypes('task_*', { signal: leaving.signal }).catch((error: unknown) => error);
  while (fakes.calls('spec') === 0) await setTimeout(5);
  const waiting = new AbortController();
  const second = fleet.findTypes('task_*', { signal: waiting.signal }).catch((error: unknown) => error);
  const third = fleet.findTypes('task_*');
  while (fakes.calls('getServerInfo') < nodes.length + 3) await setTimeout(5);
  const [tired, enough] = [new Error('tired'), new Error('enough')];
  waiting.abort(tired);
  expect(await second).toBe(tired);
  leaving.abort(enough);
  expect(await first).toBe(enough);
  for (const open of gates) open();
  const { builds, complete } = await third;
  expect([complete, builds[0]?.value?.length]).toEqual([true, 1]);
  expect(movedBytes(fakes)).toBe(NEW_KERNEL.length);
});

/** Asks several questions, all of which need the BTF of one node that does not send it yet. Returns the node and the questions. */
async function asked(fakes: Fakes, nodes: readonly FakeNode[], fleet: BtfFleet) {
  const questions = Array.from({ length: 5 }, async () => fleet.findTypes('task_*'));
  // Each asks whether the node was booted meanwhile, and then needs the BTF.
  while (fakes.calls('getServerInfo') < nodes.length + questions.length) await setTimeout(5);
  while (fakes.calls('spec') === 0) await setTimeout(5);
  await setTimeout(100);
  const node = nodes.find(({ daemon }) => daemon.callsOf('spec').length > 0);
  if (node === undefined) throw new Error('no node was asked');
  return { node, questions };
}

test('Questions that wait for a node that fails do not ask it again', async () => {
  await using fakes = new Fakes();
  const nodes = await fakes.startMany(4, 'n', NEW_KERNEL);
  await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
  await fleet.inventory();
  const gates = nodes.map(({ daemon }) => daemon.stall('spec'));
  const { node, questions } = await asked(fakes, nodes, fleet);
  node.daemon.cutOff('spec', { code: status.INTERNAL });
  for (const open of gates) open();
  const answers = await Promise.all(questions);
  for (const { builds } of answers) expect(builds[0]?.value).toHaveLength(1);
  expect(node.daemon.callsOf('spec')).toHaveLength(1);
  expect(fakes.calls('spec')).toBe(2);
});

test('A transfer may take longer than the time of a call', async () => {
  await using fakes = new Fakes();
  const chunks = 6;
  const slow = { chunkBytes: Math.ceil(NEW_KERNEL.length / chunks), chunkDelay: 1_000 };
  const node = await fakes.start('slow', NEW_KERNEL, {}, slow);
  // Longer than a chunk takes on a busy machine, and shorter than all of them.
  await using fleet = new BtfFleet(staticNodes([node]), { ...OPTIONS, timeout: 3_000 });
  const { complete, builds } = await fleet.findTypes('task_*');
  expect([complete, builds[0]?.value?.length]).toEqual([true, 1]);
});

test('A node that stops sending is given up after the time of a call', async () => {
  await using fakes = new Fakes();
  const nodes = await fakes.startMany(2, 'n', NEW_KERNEL);
  await using fleet = new BtfFleet(staticNodes(nodes), { ...OPTIONS, timeout: 6_000 });
  await fleet.inventory();
  const gates = nodes.map(({ daemon }) => daemon.stall('spec'));
  const { node, questions } = await asked(fakes, nodes, fleet);
  for (const [index, open] of gates.entries()) if (nodes[index] !== node) open();
  for (const { builds, nodes: outcomes } of await Promise.all(questions)) {
    expect(builds[0]?.value).toHaveLength(1);
    expect(outcomes.get(node.name)).toMatchObject({
      error: { rawMessage: `${node.name} sent nothing of the BTF of vmlinux for 6000 ms` },
    });
  }
  expect(fakes.calls('spec')).toBe(2);
});
