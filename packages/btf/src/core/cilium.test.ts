import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ciliumCase, compareWithCilium, RECORDED, RECORDED_PAIRS } from '../testing/cilium-relocations.js';

test('relocations of random types are resolved as cilium/ebpf resolved them', () => {
  const outputs: string[][][] = JSON.parse(readFileSync(RECORDED, 'utf8'));
  let compared = 0;
  for (const [i, pair] of RECORDED_PAIRS.entries()) {
    const { kernel, objects } = ciliumCase(pair);
    compared += compareWithCilium(kernel, objects, outputs[i] ?? []);
  }
  expect(compared).toBeGreaterThan(100);
});
