import { expect } from '@jest/globals';
import { ADAPT_SHAPES } from '../../testing/adapt-shapes.js';
import { intBtf, refusedBtf } from '../../testing/sample-btf.js';
import { until } from '../../testing/until.js';
import type { Lab } from '../lab.js';
import { listInside } from './bpftool-inside.js';
import type { Check } from './check.js';

/** LOADING are the checks of loads: what the kernel accepts, refuses, and accepts after adaptation. */
export const LOADING: readonly Check[] = [
  {
    title: 'loaded BTF is an object of the kernel until its handle is closed',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      const bytes = intBtf(3, 'loaded');
      await using handle = await client.loadHandle(bytes);
      expect(await sizeInside(lab, handle.info.id)).toBe(bytes.length);
      expect(Buffer.from(await handle.rawBtf()).equals(bytes)).toBe(true);
      await handle.close();
      await until('the object is gone', async () => (await sizeInside(lab, handle.info.id)) === null);
    },
  },
  {
    title: 'a refused load returns the last line of this kernel’s log',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      const bytes = refusedBtf(3, 'refused');
      const { rejection } = await client.tryLoadHandle(bytes);
      const [theirs] = await lab.machine.load([bytes]);
      expect(rejection?.errno).toBe(theirs?.errno);
      expect(rejection?.log.text.trimEnd().split('\n').at(-1)).toBe(theirs?.line);
      expect(rejection?.log.truncated).toBe(false);
    },
  },
  {
    title: 'a log that does not fit is marked as truncated, with its true size if the kernel reports it',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      const { rejection } = await client.tryLoadHandle(refusedBtf(20_000, 'refused'), { logSize: 4096 });
      expect(rejection?.log.truncated).toBe(true);
      if (lab.facts.logTrueSize) expect(rejection?.log.trueSize).toBeGreaterThan(20_000 * 50);
      else expect(rejection?.log.trueSize).toBeNull();
    },
  },
  {
    title: 'BTF of every newer feature is accepted after adaptation',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      for (const [name, bytes] of ADAPT_SHAPES) {
        const { handle, rejection } = await client.tryLoadHandle(bytes, { adaptToKernel: true });
        expect([name, rejection]).toEqual([name, null]);
        await handle?.close();
      }
    },
  },
  {
    title: 'adaptation is needed exactly where a feature is missing',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      const { kernelFeatures } = await client.serverInfo();
      const probed = new Map<string, unknown>(Object.entries(kernelFeatures));
      const single = [...ADAPT_SHAPES].filter(([name]) => name !== 'all of them');
      const results = await lab.machine.load(single.map(([, bytes]) => bytes));
      const accepted = single.map(([name], i) => [name, results[i]?.errno === 0]);
      expect(accepted).toEqual(single.map(([name]) => [name, probed.get(name)]));
    },
  },
];

/** Returns the size of an object, as bpftool in the machine lists it, or null if it does not. */
async function sizeInside({ machine }: Lab, id: number): Promise<number | null> {
  return (await listInside(machine)).find((object) => object.id === id)?.size ?? null;
}
