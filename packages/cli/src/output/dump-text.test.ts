import { expect, test } from '@jest/globals';
import { Builder, type NewType, type Spec } from '@btfd/btf';
import { parse } from 'yaml';
import { dumpText } from './dump-text.js';

function specOf(...types: readonly NewType[]): Spec {
  const builder = new Builder({ deduplicate: false });
  for (const type of types) builder.add(type);
  return builder.toSpec();
}

const typedef = (name: string): NewType => ({ kind: 'TYPEDEF', name, typeId: 0 });

test('yaml has the same data as json, with 64-bit numbers intact and control characters escaped', () => {
  const spec = specOf(
    typedef('u8\u009b2J'),
    { kind: 'ENUM64', name: 'e', size: 8, signed: false, values: [{ name: 'MOST', value: 2n ** 64n - 1n }] },
    { kind: 'PTR', typeId: 1 },
  );
  const text = (format: 'json' | 'yaml'): string => [...dumpText(spec, format, null)].join('');
  const options = { intAsBigInt: true };
  expect(parse(text('yaml'), options)).toEqual(parse(text('json'), options));
  expect(parse(text('yaml'), options)).toMatchObject({
    types: [{ id: 1n }, { values: [{ name: 'MOST', val: 2n ** 64n - 1n }] }, { kind: 'PTR' }],
  });
  expect(text('yaml')).toContain(String.raw`u8\u009b2J`);
  expect([...dumpText(spec, 'yaml', [])].join('')).toBe('types: []\n');
});

test('name prints each name once, in the order of the types, and skips types without a name', () => {
  const spec = specOf(typedef('b'), { kind: 'PTR', typeId: 1 }, typedef('a'), typedef('b'), typedef('x\ny'));
  expect([...dumpText(spec, 'name', null)].join('')).toBe('b\na\nx\uFFFDy\n');
});

test('layout prints the struct that a chosen typedef stands for, with or without a name, once', () => {
  const empty = { kind: 'STRUCT', size: 0, members: [] } as const;
  const spec = specOf(
    { ...empty, name: '' },
    { kind: 'TYPEDEF', name: 'atomic_t', typeId: 1 },
    { ...empty, name: 's' },
    { kind: 'TYPEDEF', name: 's_t', typeId: 3 },
    { kind: 'TYPEDEF', name: 'number', typeId: 0 },
  );
  const heads = (ids: number[] | null): string[] =>
    [...dumpText(spec, 'layout', ids)].join('').match(/^\S.*/gm) ?? [];
  expect(heads(null)).toEqual(['struct s {', '};']);
  expect(heads([2, 3, 4, 5])).toEqual(['typedef struct {', '} atomic_t;', 'struct s {', '};']);
});
