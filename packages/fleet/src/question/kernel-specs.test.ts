import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { status } from '@btfd/client';
import { BtfFleet } from '../fleet.js';
import { staticNodes } from '../source/static-nodes.js';
import { Fakes } from '../testing/fakes.js';
import { kindsOf, OPTIONS } from '../testing/fleets.js';
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

test('A question that waits for a transfer that fails asks a node itself', async () => {
  await using fakes = new Fakes();
  const nodes = await fakes.startMany(4, 'n', NEW_KERNEL);
  await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
  await fleet.inventory();
  for (const { daemon } of nodes.slice(0, 1)) daemon.failNext('spec', { code: status.INTERNAL });
  const answers = await Promise.all([fleet.findTypes('task_*'), fleet.findTypes('task_*')]);
  for (const { builds } of answers) expect(builds[0]?.value).toHaveLength(1);
  expect(
    answers.filter(({ nodes: outcomes }) => Object.values(kindsOf(outcomes)).includes('failed')),
  ).toHaveLength(1);
  expect(movedBytes(fakes)).toBe(NEW_KERNEL.length);
});
