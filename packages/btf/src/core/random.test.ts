import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { LibbpfRelocations } from '../testing/libbpf-relocations.js';
import { comparePairs } from '../testing/compare-pairs.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { Spec } from '../spec.js';
import { randomPair } from '../testing/random-relocations.js';
import type { ByteOrder } from '../header.js';
import { resolveRelocations } from './resolve.js';

needs('gcc', 'libbpf 1.7', 'root').describe('relocations of random types', () => {
  let libbpf: LibbpfRelocations;
  beforeAll(() => {
    libbpf = new LibbpfRelocations();
  });
  afterAll(() => libbpf.close());

  needs('gcc', 'libbpf 1.7', 'root').test('are resolved as libbpf resolves them', () => {
    const counts = comparePairs(libbpf, seeded(13), 40);
    // Of each kind, and of each outcome.
    expect(counts.size).toBeGreaterThan(50);
  });
});

// libbpf only relocates objects of the byte order of its machine.
test('relocations of random big-endian types are those of little-endian ones, except for left shifts', () => {
  const resolved = (order: ByteOrder): string[] => {
    const random = seeded(14);
    return Array.from({ length: 20 }, () => randomPair(random, order)).flatMap(({ kernel, objects }) =>
      objects.flatMap((bytes) => {
        const { relocations } = resolveRelocations(parseBpfObject(bytes), { kernel: Spec.parse(kernel) });
        return relocations.map(({ kind, outcome, local, match, targetValue, targetSize }) => {
          const value = kind === 'FIELD_LSHIFT_U64' ? '' : `${targetValue} ${targetSize}`;
          return `${kind} ${outcome} ${local?.text} ${match?.place?.access} ${value}`;
        });
      }),
    );
  };
  const little = resolved('little');
  expect(little.length).toBeGreaterThan(300);
  expect(resolved('big')).toEqual(little);
});
