import { describe, expect, test } from '@jest/globals';
import { Pace } from '../pace/pace.js';
import { staticNodes } from '../source/static-nodes.js';
import { Fakes } from '../testing/fakes.js';
import { kernelBtf } from '../testing/kernels.js';
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
      timeout: 200,
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
  const go = node.daemon.stall('getServerInfo');
  const found: SurveyedNode[] = [];
  const loop = {
    lostSince: () => {
      go();
      return 2_000;
    },
  };
  const context = {
    source: staticNodes([node]),
    pace: new Pace(1, { delaySince: () => 0 }),
    loop,
    memory: new NodeMemory(),
    memoryUse: 'none' as const,
    clients: new NodeClients({}),
    connectTimeout: 2_000,
    timeout: 60_000,
  };
  await new Survey(context, (each) => found.push(each)).run(new AbortController().signal);
  expect(found.map(({ outcome }) => outcome.kind)).toEqual(['answered']);
});
