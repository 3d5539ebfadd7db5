import { beforeAll, expect, jest, test } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { mapReferences } from '../query/references.js';
import { Spec } from '../spec.js';
import { bpftoolJson, dumpBytes, dumpFile, VMLINUX } from '../testing/bpftool.js';
import { kindCounts, readSpec } from '../testing/corpus.js';
import { Builder } from './builder.js';
import { convertByteOrder } from './byte-order.js';
import { dedup } from './dedup/dedup.js';
import { merge } from './merge.js';
import { selectTypes } from './select.js';
import { sortTypes } from './sort.js';

// All of vmlinux several times: seconds on an idle machine, a minute on a busy one.
jest.setTimeout(180_000);

needs('vmlinux', 'bpftool').describe('the rebuilt BTF of the running kernel', () => {
  let spec: Spec;
  let dump: string[];
  let all: number[];

  beforeAll(() => {
    spec = readSpec(VMLINUX);
    dump = dumpFile(VMLINUX);
    all = globalThis.Array.from({ length: spec.typeCount }, (_, i) => i + 1);
  });

  /** The differences between types of the spec and their copies, at most five. */
  function differences(copy: Spec, ids: ArrayLike<number>): string[] {
    const wrong: string[] = [];
    for (const type of spec) {
      const id = ids[type.id] ?? 0;
      if (id === 0 || wrong.length === 5) continue;
      const expected = bpftoolJson(mapReferences({ ...type, id }, (target) => ids[target] ?? 0));
      const copied = bpftoolJson(copy.typeById(id));
      if (copied !== expected) wrong.push(`${copied} is not ${expected}`);
    }
    return wrong;
  }

  test('is the same for bpftool, with the same ids', () => {
    const builder = new Builder({ deduplicate: false });
    builder.addAllFrom(spec, all);
    expect(equal(dumpBytes(builder.marshal()), dump)).toBe(true);
  });

  test('is the same for bpftool with a layout section', () => {
    const builder = new Builder({ deduplicate: false });
    builder.addAllFrom(spec, all);
    expect(equal(dumpBytes(builder.marshal({ layout: true })), dump)).toBe(true);
  });

  test('has the same types when it is sorted, with their names in the order of their bytes', () => {
    const { bytes, ids } = sortTypes(spec);
    const copy = Spec.parse(bytes);
    expect(copy.typeCount).toBe(spec.typeCount);
    expect(differences(copy, ids)).toEqual([]);
    const names = [...copy.typeIds()].map((id) => Buffer.from(copy.nameOf(id)));
    expect(names.findIndex((name, i) => i > 0 && Buffer.compare(names[i - 1] ?? name, name) > 0)).toBe(-1);
    // The build of the kernel sorts vmlinux since Linux 7.0. Sorting that again changes nothing, as with 7.3.4.
    const isSorted = [...spec.typeIds()].every(
      (id) => id === 1 || Buffer.compare(Buffer.from(spec.nameOf(id - 1)), Buffer.from(spec.nameOf(id))) <= 0,
    );
    expect(ids.every((id, old) => id === old)).toBe(isSorted);
  });

  test('has the same types in another order', () => {
    const random = seeded(0x5eed);
    const shuffled = all.slice();
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = random(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j] ?? 0, shuffled[i] ?? 0];
    }
    const builder = new Builder({ deduplicate: false });
    builder.addAllFrom(spec, shuffled);
    const copy = Spec.parse(builder.marshal({ shareSuffixes: true }));
    const ids = new Int32Array(spec.endTypeId);
    for (const [i, id] of shuffled.entries()) ids[id] = i + 1;
    expect(copy.typeCount).toBe(spec.typeCount);
    expect(differences(copy, ids)).toEqual([]);
    const bigger = Spec.parse(builder.marshal());
    expect(copy.bytes.length).toBeLessThan(bigger.bytes.length - 100_000);
    expect(kindCounts(bigger)).toEqual(kindCounts(copy));
  });

  test('is the same for bpftool in the other byte order, and has the same bytes after it is converted back', () => {
    const other = spec.byteOrder === 'little' ? 'big' : 'little';
    const converted = convertByteOrder(spec, other);
    expect(Spec.parse(converted).byteOrder).toBe(other);
    expect(equal(dumpBytes(converted), dump)).toBe(true);
    expect(Buffer.compare(convertByteOrder(converted, spec.byteOrder), spec.bytes)).toBe(0);
  });

  test('does not grow when another spec of it is added, cycles of thousands of types included', () => {
    const builder = new Builder();
    builder.addAllFrom(spec, all);
    const once = builder.typeCount;
    expect(once).toBeGreaterThan(spec.typeCount * 0.9);
    builder.addAllFrom(Spec.parse(spec.bytes), all.toReversed());
    expect(builder.typeCount).toBe(once);
  });

  test('is the closure of a selection, type by type', () => {
    const roots = ['task_struct', 'sk_buff', 'bpf_prog_load'].flatMap((name) => spec.idsByName(name));
    const { bytes, ids } = selectTypes(spec, roots);
    const copy = Spec.parse(bytes);
    expect(roots.map((id) => ids[id])).not.toContain(0);
    expect(copy.typeCount).toBe(ids.filter((id) => id !== 0).length);
    expect(copy.typeCount).toBeLessThan(spec.typeCount / 2);
    expect(differences(copy, ids)).toEqual([]);
    expect(dumpBytes(bytes)).toHaveLength(copy.typeCount);
  });

  test('is deduplicated to the same types if it comes twice, except VARs and DATASECs', () => {
    const once = kindCounts(Spec.parse(dedup(spec).bytes));
    const twice = kindCounts(Spec.parse(dedup(Spec.parse(merge([spec, spec]).bytes)).bytes));
    // libbpf never merges variables and sections.
    const { VAR = 0, DATASEC = 0 } = once;
    expect(twice).toEqual({ ...once, VAR: 2 * VAR, DATASEC: 2 * DATASEC });
  });
});

/** `toEqual` would take minutes to show the difference between texts of megabytes. */
function equal(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, i) => line === other[i]);
}
