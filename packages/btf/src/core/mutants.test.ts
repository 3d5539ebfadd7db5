import { expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { BtfFormatError } from '../format-error.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { compactObject } from '../object/compact.js';
import { readExterns } from '../object/extern-symbols.js';
import { readMaps } from '../object/maps.js';
import { Spec } from '../spec.js';
import { mutate } from '../testing/mutate.js';
import { randomPair } from '../testing/random-relocations.js';
import { resolveRelocations } from './resolve.js';

const random = seeded(7);
const pairs = (['little', 'big'] as const).map((order) => randomPair(random, order, 3));

/** Runs a part of the library on bytes. Returns whether they were accepted. */
function accepts(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(BtfFormatError);
    return false;
  }
}

test('mutants of objects and kernels give a resolution or a typed error', () => {
  let resolved = 0;
  for (const { kernel, objects } of pairs) {
    for (const object of objects) {
      for (let i = 0; i < 300; i++) {
        const mutant = mutate(object, random);
        const target = random(2) === 0 ? kernel : mutate(kernel, random);
        accepts(() => compactObject(mutant));
        accepts(() => readExterns(parseBpfObject(mutant)));
        accepts(() => readMaps(parseBpfObject(mutant)));
        for (const loader of ['libbpf', 'cilium'] as const) {
          const isResolved = accepts(() =>
            resolveRelocations(parseBpfObject(mutant), { kernel: Spec.parse(target) }, { loader }),
          );
          if (isResolved) resolved += 1;
        }
      }
    }
  }
  expect(resolved).toBeGreaterThan(500);
});

test('each beginning of an object gives a typed error', () => {
  const [pair] = pairs;
  const [object = new Uint8Array(0)] = pair?.objects ?? [];
  const kernel = Spec.parse(pair?.kernel ?? new Uint8Array(0));
  for (let length = 0; length < object.length; length++) {
    const part = object.slice(0, length);
    expect(accepts(() => resolveRelocations(parseBpfObject(part), { kernel }))).toBe(false);
  }
});
