import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import {
  ciliumCase,
  CiliumRelocations,
  compareWithCilium,
  RECORDED,
  RECORDED_PAIRS,
} from '../testing/cilium-relocations.js';
import { kernels } from '../testing/corpus.js';
import { allDebianObjects } from '../testing/debian-objects.js';
import { randomPair } from '../testing/random-relocations.js';

needs('cilium-driver').describe('relocations by the rules of cilium/ebpf', () => {
  let cilium: CiliumRelocations;
  beforeAll(() => {
    cilium = new CiliumRelocations();
  });
  afterAll(() => cilium.close());

  needs('all-debian-objects').test.each(kernels('corpus'))(
    'of Debian’s objects against $release',
    ({ vmlinux }) => {
      const kernel = new Uint8Array(readFileSync(vmlinux));
      const all = allDebianObjects();
      const objects = all.map(({ bytes }) => bytes);
      const outputs = cilium.run(kernel, objects);
      const refused = all.filter((_, i) => outputs[i]?.[0] === 'error').map(({ name }) => name);
      expect(compareWithCilium(kernel, objects, outputs)).toBe(objects.length - refused.length);
      // cilium/ebpf 0.22 refuses a weak map, which two of them have, and the typed variable of the kernel in the other.
      expect(refused).toEqual(['bpftop', 'javagc', 'javagc-libbpf']);
    },
  );

  needs('cilium-driver').test.each(['little', 'big'] as const)('of random %s-endian types', (order) => {
    const random = seeded(31);
    let compared = 0;
    for (let i = 0; i < 300; i++) {
      const { kernel, objects } = randomPair(random, order);
      compared += compareWithCilium(kernel, objects, cilium.run(kernel, objects));
    }
    // Those with an access that is not one are refused as a whole.
    expect(compared).toBeGreaterThan(1500);
  });

  needs('cilium-driver').test('are those that were recorded for the shorter test', () => {
    const outputs = RECORDED_PAIRS.map((pair) => {
      const { kernel, objects } = ciliumCase(pair);
      return cilium.run(kernel, objects);
    });
    if (process.env['BTFD_RECORD'] === '1') writeFileSync(RECORDED, `${JSON.stringify(outputs, null, 1)}\n`);
    expect(outputs).toEqual(JSON.parse(readFileSync(RECORDED, 'utf8')));
  });
});
