import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { sizeof } from '../query/sizeof.js';
import { Spec } from '../spec.js';
import { compareValues } from '../testing/compare-values.js';
import { LibbpfValues } from '../testing/libbpf-values.js';
import { randomValueTypes } from '../testing/random-value-types.js';

needs('gcc', 'libbpf 1.7').describe('with libbpf', () => {
  let libbpf: LibbpfValues;
  beforeAll(() => {
    libbpf = new LibbpfValues();
  });
  afterAll(() => libbpf.close());

  test.each([1, 3, 5, 7, 9])('random values of random types have the text of libbpf (%p)', (seed) => {
    const spec = Spec.parse(randomValueTypes(seed, 500));
    const ids = [...spec.typeIds()].filter((id) => hasSize(spec, id));
    const { compared, unfinished, different } = compareValues(libbpf, spec, ids, seeded(seed));
    expect(different.slice(0, 3)).toEqual([]);
    expect(unfinished).toBe(0);
    expect(compared).toBeGreaterThan(1000);
  });
});

function hasSize(spec: Spec, id: number): boolean {
  try {
    return sizeof(spec, id) >= 0;
  } catch {
    return false;
  }
}
