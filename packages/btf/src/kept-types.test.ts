import { expect, test } from '@jest/globals';
import { KeptTypes } from './kept-types.js';
import type { Struct, Type } from './types.js';

/** A struct whose members have one name, which takes about `megabytes` in memory. */
function large(id: number, megabytes: number): Struct {
  const name = 'x'.repeat(2 ** 18 - 48);
  const member = { name, typeId: 1, bitOffset: 0, bitfieldSize: 0 };
  return {
    kind: 'STRUCT',
    id,
    name: '',
    size: 0,
    members: globalThis.Array.from({ length: 2 * megabytes }, () => member),
  };
}

test('types are kept until they take too much memory', () => {
  const kept = new KeptTypes();
  const types = globalThis.Array.from({ length: 20 }, (_, id) => [large(id, 2)]);
  const keptAfter = types.map((type, id) => {
    kept.keep(`name ${id}`, type);
    return types.filter((_, other) => kept.get(`name ${other}`) === types[other]).length;
  });
  // 15 types with something over 2 MiB fit into 32 MiB.
  expect(keptAfter).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1, 2, 3, 4, 5]);
});

test('neither types that take too much memory are kept, nor names without types', () => {
  const kept = new KeptTypes();
  kept.keep('small', [large(1, 1)]);
  kept.keep('large', [large(2, 33)]);
  kept.keep(
    'several',
    globalThis.Array.from({ length: 40 }, (_, id) => large(id, 1)),
  );
  kept.keep('none', []);
  expect(['small', 'large', 'several', 'none'].map((name) => kept.get(name)?.length)).toEqual([
    1,
    undefined,
    undefined,
    undefined,
  ]);
});

test.each<Type>([
  {
    kind: 'ENUM',
    id: 1,
    name: '',
    size: 4,
    signed: false,
    values: globalThis.Array.from({ length: 400_000 }, () => ({ name: '', value: 1 })),
  },
  {
    kind: 'ENUM64',
    id: 1,
    name: '',
    size: 8,
    signed: false,
    values: globalThis.Array.from({ length: 400_000 }, () => ({ name: '', value: 1n })),
  },
  {
    kind: 'FUNC_PROTO',
    id: 1,
    name: '',
    returnTypeId: 0,
    params: globalThis.Array.from({ length: 400_000 }, () => ({ name: '', typeId: 1 })),
  },
  {
    kind: 'DATASEC',
    id: 1,
    name: '',
    size: 8,
    vars: globalThis.Array.from({ length: 400_000 }, () => ({ typeId: 1, offset: 0, size: 1 })),
  },
])('the elements of $kind count', (type) => {
  const kept = new KeptTypes();
  kept.keep('name', [type]);
  expect(kept.get('name')).toBeUndefined();
});
