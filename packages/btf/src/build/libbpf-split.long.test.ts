import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { relocateSplit } from '../elf/relocate-split.js';
import { Spec } from '../spec.js';
import { kernels, readSpec } from '../testing/corpus.js';
import { Libbpf } from '../testing/libbpf.js';
import { Builder } from './builder.js';
import { distillBase } from './distill-base.js';
import { sortTypes } from './sort.js';

let libbpf: Libbpf;
beforeAll(() => {
  libbpf = new Libbpf();
});
afterAll(() => libbpf.close());

describe.each(kernels('corpus'))('split BTF of Linux $release', ({ vmlinux, modules, path }) => {
  let base: Spec;
  let chosen: Spec[];
  beforeAll(() => {
    base = readSpec(vmlinux);
    // libbpf reads vmlinux again for each call.
    chosen = modules.filter((_, i) => i % 24 === 0).map((module) => readSpec(path(module), base));
  });

  test('is distilled to the bytes of libbpf, and moves back onto vmlinux', () => {
    for (const module of chosen) {
      const { bytes, baseBytes } = distillBase(module);
      const theirs = libbpf.distill(module.bytes, base.bytes);
      expect(Buffer.compare(bytes, theirs.bytes)).toBe(0);
      expect(Buffer.compare(baseBytes, theirs.baseBytes)).toBe(0);
      const distilled = Spec.parse(bytes, { base: Spec.parse(baseBytes) });
      expect(relocateSplit(distilled, base).typeCount).toBe(distilled.typeCount);
    }
    expect(chosen.length).toBeGreaterThan(8);
  });

  test('is sorted to the bytes of libbpf', () => {
    for (const module of chosen) {
      const theirs = libbpf.sortByName(module.bytes, base.bytes);
      expect(Buffer.compare(sortTypes(module).bytes, theirs)).toBe(0);
    }
  });

  test('is built again with the bytes of libbpf', () => {
    for (const module of chosen) {
      const builder = new Builder({ base, deduplicate: false });
      builder.addAllFrom(module, module.typeIds());
      expect(Buffer.compare(builder.marshal(), libbpf.copy(module.bytes, base.bytes))).toBe(0);
    }
  });
});
