import { beforeAll, describe, expect, test } from '@jest/globals';
import { Builder } from './build/builder.js';
import { children, mapReferences } from './query/references.js';
import { Spec } from './spec.js';
import { bpftoolJson, dumpBytes, dumpFile } from './testing/bpftool.js';
import { kernels, readSpec } from './testing/corpus.js';
import type { TypeId } from './types.js';
import { kernelFeaturesOf } from './kernel/kernel-features.js';
import { validate } from './validate/validate.js';

const CORPUS = kernels('corpus');

test('the corpus holds Linux 6.1, 6.12, 6.18 and 7, each with at least 200 modules', () => {
  expect(CORPUS.map(({ release }) => release)).toEqual([
    expect.stringMatching(/^6[.]1[.]/),
    expect.stringMatching(/^6[.]12[.]/),
    expect.stringMatching(/^6[.]18[.]/),
    expect.stringMatching(/^([7-9]|\d\d)[.]/),
  ]);
  expect(CORPUS.filter(({ modules }) => modules.length < 200)).toEqual([]);
});

describe.each(CORPUS)('BTF of Linux $release', ({ release, vmlinux, modules, path }) => {
  let base: Spec;

  beforeAll(() => {
    base = readSpec(vmlinux);
  });

  test('every type of vmlinux equals the output of bpftool', () => {
    expect(difference(base, dumpFile(vmlinux))).toBeNull();
    expect(base.typeCount).toBeGreaterThan(90_000);
  });

  test('every type of every module equals the output of bpftool', () => {
    let types = 0;
    for (const module of modules) {
      const spec = readSpec(path(module), base);
      types += spec.typeCount;
      expect([module, difference(spec, dumpFile(path(module), vmlinux))]).toEqual([module, null]);
    }
    expect(types).toBeGreaterThan(100_000);
  });

  test('validate finds no problem in vmlinux and one module in eight with the features of the release', () => {
    const [major = 0, minor = 0] = release.split('.').map(Number);
    const options = { kernelFeatures: kernelFeaturesOf(major, minor) };
    expect(validate(base, options)).toEqual([]);
    for (const module of modules.filter((_, i) => i % 8 === 0)) {
      expect([module, validate(readSpec(path(module), base), options)]).toEqual([module, []]);
    }
  });

  test('bpftool prints the same for vmlinux after it was rebuilt in either byte order', () => {
    const dump = dumpFile(vmlinux);
    for (const byteOrder of ['little', 'big'] as const) {
      const builder = new Builder({ deduplicate: false });
      builder.addAllFrom(base, base.typeIds());
      const bytes = builder.marshal({ byteOrder });
      const rebuilt = Spec.parse(bytes);
      expect([byteOrder, rebuilt.byteOrder, difference(rebuilt, dump)]).toEqual([byteOrder, byteOrder, null]);
      expect(dumpBytes(bytes)).toEqual(dump);
    }
  });

  test('one module in eight reads the same after it was rebuilt with all types that it refers to', () => {
    const chosen = modules.filter((_, i) => i % 8 === 0);
    for (const module of chosen) {
      const spec = readSpec(path(module), base);
      const builder = new Builder({ deduplicate: false });
      const ids = builder.addAllFrom(spec, spec.typeIds());
      const rebuilt = Spec.parse(builder.marshal());
      const differing = ids.filter((id, i) => named(rebuilt, id) !== named(spec, spec.firstTypeId + i));
      expect([module, differing]).toEqual([module, []]);
    }
    expect(chosen.length).toBeGreaterThan(100);
  });
});

/** A type as JSON, with kinds and names in place of the ids that it refers to, which may differ. */
function named(spec: Spec, id: TypeId): string {
  const type = spec.typeById(id);
  const references = children(type).map((child) => `${spec.kindOf(child)} ${spec.nameOf(child)}`);
  return `${bpftoolJson({ ...mapReferences(type, () => 0), id: 0 })} ${references.join()}`;
}

/** The first type that differs; null if all are equal. Faster than a comparison of all types by Jest. */
function difference(spec: Spec, expected: readonly string[]): unknown {
  let count = 0;
  for (const type of spec) {
    const [ours, theirs] = [bpftoolJson(type), expected[count]];
    if (ours !== theirs) return { ours, theirs };
    count += 1;
  }
  return count === expected.length ? null : { ours: count, theirs: expected.length };
}
