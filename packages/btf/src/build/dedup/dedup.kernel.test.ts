import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { needs } from 'test-tools';
import { parseElfBtf } from '../../elf/elf-btf.js';
import { BtfReadError } from '../../format-error.js';
import { Spec } from '../../spec.js';
import { BtfAssembler } from '../../testing/assemble-btf.js';
import { linkObjects } from '../../testing/bpftool.js';
import { kernels, kindCounts, readSpec } from '../../testing/corpus.js';
import { LibbpfDedup } from '../../testing/libbpf-dedup.js';
import { Kind } from '../../types.js';
import { merge } from '../merge.js';
import { selectTypes } from '../select.js';
import { dedup } from './dedup.js';

// All of vmlinux several times: seconds on an idle machine, a minute on a busy one.
jest.setTimeout(180_000);

const TESTDATA = fileURLToPath(new URL('testdata/', import.meta.url));

function deduplicated(specs: readonly Spec[]): Spec {
  return Spec.parse(dedup(Spec.parse(merge(specs).bytes)).bytes);
}

test('leaves as many types of each kind of three objects as pahole does in their library', () => {
  const units = ['a', 'b', 'c'].map((name) => readSpec(`${TESTDATA}${name}.btf`));
  const left = kindCounts(deduplicated(units));
  expect(left).toEqual(kindCounts(readSpec(`${TESTDATA}all.btf`)));
  expect(left).toMatchObject({ FWD: 2, STRUCT: 5, ENUM: 2 });
});

needs('bpftool').test(
  'leaves the same types of BPF objects as bpftool gen object, with known differences',
  () => {
    const objects = ['a', 'b', 'c'].map((name) => `${TESTDATA}${name}.bpf.o`);
    const left = kindCounts(
      deduplicated(objects.map((path) => parseElfBtf(new Uint8Array(readFileSync(path))))),
    );
    const linked = kindCounts(parseElfBtf(linkObjects(objects)));
    // The linker merges sections of one name, here three .bss, which is not deduplication.
    expect([left['DATASEC'], linked['DATASEC']]).toEqual([3, 1]);
    // libbpf 1.1, which Debian 12's bpftool 7.1 has in an early state, leaves FWDs that no struct leads to and enums
    // without values whose size differs: `struct right` of a.c and `enum late` of b.c, each with its pointer.
    const old = { FWD: 3, ENUM: 3, PTR: 11 };
    const recent = { FWD: left['FWD'], ENUM: left['ENUM'], PTR: left['PTR'] };
    expect(recent).toEqual({ FWD: 2, ENUM: 2, PTR: 10 });
    expect([old, recent]).toContainEqual({ FWD: linked['FWD'], ENUM: linked['ENUM'], PTR: linked['PTR'] });
    const known = { DATASEC: 1, FWD: 0, ENUM: 0, PTR: 0 };
    expect({ ...left, ...known }).toEqual({ ...linked, ...known });
  },
);

needs('gcc', 'libbpf', 'debian-kernels').describe('dedup leaves as many types of each kind as libbpf', () => {
  const MODULES = ['bonding', 'nf_conntrack', 'veth', 'dummy'];
  let libbpf: LibbpfDedup;
  let base: Spec;
  let modules: Spec[];

  beforeAll(() => {
    const [kernel] = kernels('kernels');
    if (kernel === undefined) throw new Error('no BTF of a kernel');
    libbpf = new LibbpfDedup();
    base = readSpec(kernel.vmlinux);
    modules = MODULES.map((name) => readSpec(kernel.path(name), base));
  });
  afterAll(() => libbpf.close());

  test('of modules that each contain the types that they use of vmlinux', () => {
    const flat = modules.map((module) => {
      return Spec.parse(selectTypes(module, module.typeIds()).bytes);
    });
    const merged = Spec.parse(merge(flat).bytes);
    const ours = Spec.parse(dedup(merged).bytes);
    const theirs = Spec.parse(libbpf.run(merged.bytes));
    expect(kindCounts(ours)).toEqual(kindCounts(theirs));
    expect(ours.bytes.length).toBe(theirs.bytes.length);
    expect(ours.typeCount).toBeLessThan(merged.typeCount / 3);
  });

  test('of modules split from one base', () => {
    const merged = merge(modules).bytes;
    const [ours, theirs] = [dedup(Spec.parse(merged)).bytes, libbpf.run(merged)];
    expect(kindCounts(Spec.parse(ours))).toEqual(kindCounts(Spec.parse(theirs)));
  });

  test('of one module on its base, without repeating types of the base', () => {
    for (const module of modules) {
      const ours = Spec.parse(dedup(module).bytes, { base });
      const theirs = Spec.parse(libbpf.run(module.bytes, base.bytes), { base });
      expect(kindCounts(ours)).toEqual(kindCounts(theirs));
      expect(ours.typeCount).toBeGreaterThan(0);
    }
  });
});

needs('gcc', 'libbpf').describe('of references in a cycle', () => {
  /** The errno of libbpf for a cycle that its search meets. */
  const ELOOP = 40;
  let libbpf: LibbpfDedup;
  beforeAll(() => {
    libbpf = new LibbpfDedup();
  });
  afterAll(() => libbpf.close());

  const refusal = (spec: Spec): string | null => {
    try {
      dedup(spec);
      return null;
    } catch (error) {
      if (!(error instanceof BtfReadError)) throw error;
      return error.code;
    }
  };
  const start = (): BtfAssembler => new BtfAssembler('little');

  test.each<[string, BtfAssembler]>([
    ['a pointer to itself', start().type(Kind.PTR, 0, { sizeOrTypeId: 1 })],
    [
      'a pointer to a const pointer to it',
      start().type(Kind.PTR, 0, { sizeOrTypeId: 2 }).type(Kind.CONST, 0, { sizeOrTypeId: 1 }),
    ],
    [
      'a function that takes a pointer to itself, which the kernel loads',
      start()
        .type(Kind.FUNC_PROTO, 0, { vlen: 1, data: [0, 2] })
        .type(Kind.PTR, 0, { sizeOrTypeId: 1 }),
    ],
    [
      'a pointer to an array of it',
      start()
        .type(Kind.PTR, 0, { sizeOrTypeId: 2 })
        .type(Kind.ARRAY, 0, { data: [1, 3, 1] })
        .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] }),
    ],
  ])('libbpf refuses %s, and so does dedup', (_, btf) => {
    const bytes = btf.bytes();
    expect(libbpf.refusal(bytes)).toBe(ELOOP);
    expect(refusal(Spec.parse(bytes))).toBe('MALFORMED');
  });

  test('libbpf deduplicates one through a struct, and so does dedup', () => {
    const bytes = start()
      .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 8, data: ['p', 2, 0] })
      .type(Kind.PTR, 0, { sizeOrTypeId: 3 })
      .type(Kind.CONST, 0, { sizeOrTypeId: 1 })
      .bytes();
    expect(libbpf.refusal(bytes)).toBe(0);
    expect(refusal(Spec.parse(bytes))).toBeNull();
  });
});
