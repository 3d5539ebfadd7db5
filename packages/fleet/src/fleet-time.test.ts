import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { status } from '@btfd/client';
import { BtfFleet } from './fleet.js';
import { staticNodes } from './source/static-nodes.js';
import { Fakes } from './testing/fakes.js';
import { kindsOf, OPTIONS, sourceOf } from './testing/fleets.js';
import { NEW_KERNEL, OLD_KERNEL, START } from './testing/kernels.js';
import { silentNode } from './testing/stand-ins.js';

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
