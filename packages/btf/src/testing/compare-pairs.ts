import { expect } from '@jest/globals';
import type { Random } from 'test-tools/random';
import { resolveRelocations } from '../core/resolve.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { Spec } from '../spec.js';
import { HOST_ORDER } from '../words.js';
import type { LibbpfRelocations } from './libbpf-relocations.js';
import { randomPair } from './random-relocations.js';
import { libbpfLines, ourLines } from './relocation-log.js';

/**
 * comparePairs resolves the relocations of random objects, and compares the log of libbpf.
 *
 * @returns the number of relocations by kind and outcome.
 */
export function comparePairs(libbpf: LibbpfRelocations, random: Random, pairs: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < pairs; i++) {
    const { kernel, objects } = randomPair(random, HOST_ORDER);
    const target = Spec.parse(kernel);
    const logs = libbpf.run(libbpf.file('kernel', kernel), objects);
    for (const [j, bytes] of objects.entries()) {
      const object = parseBpfObject(bytes);
      const resolution = resolveRelocations(object, { kernel: target });
      const ours = ourLines(resolution, object.spec, target);
      expect([i, j, ...ours]).toEqual([i, j, ...libbpfLines(logs[j] ?? [])]);
      for (const { kind, outcome } of resolution.relocations) {
        const key = `${kind} ${outcome}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
  }
  return counts;
}
