import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { Spec } from '../spec.js';
import { VMLINUX } from '../testing/bpftool.js';
import { compareStructs, compareValues } from '../testing/compare-values.js';
import { kernels, parseFile, filesOf, readSpec } from '../testing/corpus.js';
import { LibbpfValues } from '../testing/libbpf-values.js';
import { randomValueTypes, sizedTypes } from '../testing/random-value-types.js';

/** BTFs of 500 random types each. */
const RANDOM_BTFS = 40;

needs('gcc', 'libbpf 1.7').describe('libbpf and we agree on', () => {
  let libbpf: LibbpfValues;
  beforeAll(() => {
    libbpf = new LibbpfValues();
  });
  afterAll(() => libbpf.close());

  test('values of more than 10,000 random types', () => {
    let types = 0;
    for (let seed = 1001; seed < 1001 + 2 * RANDOM_BTFS; seed += 2) {
      const spec = Spec.parse(randomValueTypes(seed, 500));
      const ids = sizedTypes(spec);
      expect({ seed, ...compareValues(libbpf, spec, ids, seeded(seed)) }).toMatchObject({ different: [] });
      types += ids.length;
    }
    expect(types).toBeGreaterThan(10_000);
  });

  needs('gcc', 'libbpf 1.7', 'vmlinux').test(
    'values of every struct of the kernel and of its modules',
    () => {
      const vmlinux = readSpec(VMLINUX);
      const modules = readdirSync(dirname(VMLINUX)).filter((name) => name !== 'vmlinux');
      const specs = [vmlinux, ...modules.map((name) => readSpec(join(dirname(VMLINUX), name), vmlinux))];
      for (const spec of specs) expect(compareStructs(spec, seeded(3), 1)).toMatchObject({ different: [] });
    },
  );

  needs('gcc', 'libbpf 1.7', 'debian-kernels').test('values of structs of Debian’s kernels', () => {
    for (const file of filesOf(kernels('kernels'), ['vmlinux'])) {
      const { different } = compareStructs(parseFile(file), seeded(5), 4);
      expect([file.name, different]).toEqual([file.name, []]);
    }
  });
});
