import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { Builder } from '../build/builder.js';
import { Spec } from '../spec.js';
import { compareValues } from '../testing/compare-values.js';
import { LibbpfValues } from '../testing/libbpf-values.js';
import { randomValueTypes, sizedTypes } from '../testing/random-value-types.js';
import { formatValue } from './format-value.js';

/** Numbers that are near others with six decimals, and those without decimals. */
const NUMBERS = [1, 3, 5, 7, 127, 129, 130, -1, -3]
  .map((parts) => parts / 128)
  .concat([0, -0, 0.1, 1e-7, 5e-7, 1e20, 1e21, 123456789e15, 1e300, -1e300])
  .concat([Number.MAX_VALUE, Number.MIN_VALUE, Infinity, -Infinity, NaN]);

needs('gcc', 'libbpf 1.7').describe('libbpf and we agree on', () => {
  let libbpf: LibbpfValues;
  beforeAll(() => {
    libbpf = new LibbpfValues();
  });
  afterAll(() => libbpf.close());

  test.each([1, 3, 5])('the text of random values of random types (%p)', (seed) => {
    const spec = Spec.parse(randomValueTypes(seed, 500));
    const { compared, unfinished, different } = compareValues(libbpf, spec, sizedTypes(spec), seeded(seed));
    expect(different.slice(0, 3)).toEqual([]);
    expect(unfinished).toBe(0);
    expect(compared).toBeGreaterThan(1000);
  });

  test('floating point numbers', () => {
    const builder = new Builder();
    const double = builder.add({ kind: 'FLOAT', name: 'double', size: 8 });
    const float = builder.add({ kind: 'FLOAT', name: 'float', size: 4 });
    const btf = builder.marshal();
    const negativeNan = Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0xff);
    const requests = NUMBERS.flatMap((number) => [
      { id: double, bytes: new Uint8Array(Float64Array.of(number).buffer) },
      { id: float, bytes: new Uint8Array(Float32Array.of(number).buffer) },
    ]).concat({ id: double, bytes: negativeNan });
    const ours = requests.map(({ id, bytes }) => formatValue(Spec.parse(btf), id, bytes).text);
    expect(ours).toEqual(libbpf.print(btf, requests).map(({ text }) => text));
  });

  test('variables, sections, pointers that are null, and types of one name', () => {
    const builder = new Builder({ deduplicate: false });
    const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
    const pointer = builder.add({ kind: 'PTR', typeId: int });
    const place = { bitfieldSize: 0, bitOffset: 0 };
    const inner = [0, 1].map((i) =>
      builder.add({
        kind: 'STRUCT',
        name: 's',
        size: 4,
        members: [{ name: `m${i}`, typeId: int, ...place }],
      }),
    );
    const members = [pointer, ...inner].map((typeId, i) => ({
      name: `n${i}`,
      typeId,
      bitfieldSize: 0,
      bitOffset: [0, 64, 96][i] ?? 0,
    }));
    const outer = builder.add({ kind: 'STRUCT', name: 'outer', size: 16, members });
    const packed = builder.add({
      kind: 'STRUCT',
      name: 'packed',
      size: 12,
      members: [{ name: 'p', typeId: pointer, bitfieldSize: 0, bitOffset: 32 }],
    });
    const vars = [outer, int, pointer].map((typeId, linkage) =>
      builder.add({ kind: 'VAR', name: `v${linkage}`, typeId, linkage }),
    );
    const section = builder.add({
      kind: 'DATASEC',
      name: '.data',
      size: 28,
      vars: vars.map((typeId, i) => ({ typeId, offset: [0, 16, 20][i] ?? 0, size: [16, 4, 8][i] ?? 0 })),
    });
    const btf = builder.marshal();
    const bytes = Uint8Array.from({ length: 28 }, (_, i) => (i < 8 || i >= 20 ? 0 : i));
    const requests = [...vars, section, packed].flatMap((id) =>
      [{ emitZeroes: true }, { compact: true }].map((options) => ({ id, bytes, options })),
    );
    const ours = requests.map(({ id, options }) => formatValue(Spec.parse(btf), id, bytes, options).text);
    expect(ours).toEqual(libbpf.print(btf, requests).map(({ text }) => text));
    expect(ours.join()).toContain('(struct s___2)');
    expect(ours.join()).toContain('(nil)');
    expect(ours.join()).toContain('0x0');
  });
});
