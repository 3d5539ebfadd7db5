import { describe, expect, test } from '@jest/globals';
import { compareC, needs } from 'test-tools';
import { BtfReadError } from '../format-error.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { cOfBytes } from '../testing/bpftool-c.js';
import { Kind } from '../types.js';
import { printC, printCChunks, type PrintCOptions } from './print-c.js';
import { StringBytes } from './string-bytes.js';
import { WorkLimit } from './work-limit.js';

const INT = { sizeOrTypeId: 4, data: [(1 << 24) | 32] };

/** The definitions of hand-made BTF, in the order of their ids. */
function definitions(btf: BtfAssembler, options: PrintCOptions = {}): string[] {
  const text = printC(Spec.parse(btf.bytes()), { preamble: false, sorted: false, ...options });
  return text.split(';\n\n').filter((definition) => definition !== '');
}

/** The error that printing throws. */
function failure(btf: BtfAssembler, options: PrintCOptions = {}): BtfReadError {
  try {
    printC(Spec.parse(btf.bytes()), options);
  } catch (error) {
    if (error instanceof BtfReadError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Anonymous unions that each contain the next one twice: a few bytes that mean 2^levels members. */
function explosive(levels: number): BtfAssembler {
  const btf = new BtfAssembler('little').type(Kind.INT, 'int', INT);
  for (let id = 2; id < levels + 2; id++) {
    btf.type(Kind.UNION, '', { vlen: 2, sizeOrTypeId: 4, data: ['', id - 1, 0, '', id - 1, 0] });
  }
  return btf.type(Kind.STRUCT, 'top', { vlen: 1, sizeOrTypeId: 4, data: ['', levels + 1, 0] });
}

/** A union that contains a struct many times, without names. The struct has many members without names, too. */
function nameless(count: number): BtfAssembler {
  const members = (id: number): (string | number)[] =>
    Array.from({ length: count }, () => ['', id, 0]).flat();
  return new BtfAssembler('little')
    .type(Kind.INT, 'int', INT)
    .type(Kind.STRUCT, 's', { vlen: count, sizeOrTypeId: 4, data: members(1) })
    .type(Kind.UNION, 'u', { vlen: count, sizeOrTypeId: 4, data: members(2) });
}

function one(...type: Parameters<BtfAssembler['type']>): BtfAssembler {
  return new BtfAssembler('little').type(...type);
}

/** A chain of references, each to the type before it, which ends in an int. */
function chain(kind: number, length: number): BtfAssembler {
  const btf = new BtfAssembler('little').type(Kind.INT, 'int', INT);
  for (let id = 2; id < length + 2; id++) {
    if (kind === Kind.ARRAY) btf.type(kind, '', { data: [id - 1, 1, 2] });
    else if (kind === Kind.FUNC_PROTO) btf.type(kind, '', { vlen: 1, sizeOrTypeId: 1, data: [0, id - 1] });
    else btf.type(kind, kind === Kind.TYPEDEF ? `t${id}` : '', { sizeOrTypeId: id - 1 });
  }
  return btf.type(Kind.TYPEDEF, 'last', { sizeOrTypeId: length + 1 });
}

describe('printC', () => {
  needs('bpftool').test.each(['little', 'big'] as const)(
    'prints every kind as bpftool does, %s-endian, sorted or not',
    (order) => {
      const bytes = assembleAllKinds(order).bytes();
      const spec = Spec.parse(bytes);
      expect(compareC(printC(spec), cOfBytes(bytes)).unexplained).toEqual([]);
      expect(compareC(printC(spec, { sorted: false }), cOfBytes(bytes, ['unsorted'])).unexplained).toEqual(
        [],
      );
    },
  );

  test('returns the same text in chunks and whole', () => {
    const spec = Spec.parse(explosive(12).bytes());
    const chunks = [...printCChunks(spec)];
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.join('')).toBe(printC(spec));
  });

  test('prints a tag that is an attribute as such (Linux 6.15), and others as btf_type_tag', () => {
    const btf = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT)
      .type(Kind.TYPE_TAG, 'user', { sizeOrTypeId: 1 })
      .type(Kind.TYPE_TAG, 'noderef', { sizeOrTypeId: 2, kindFlag: true })
      .type(Kind.PTR, '', { sizeOrTypeId: 3 })
      .type(Kind.TYPEDEF, 'p', { sizeOrTypeId: 4 });
    expect(definitions(btf)).toEqual([
      'typedef int __attribute__((btf_type_tag("user"))) __attribute__((noderef)) *p',
    ]);
  });

  test.each([
    [false, '__attribute__((btf_type_tag("a\\"b\\\\c?#include?")))'],
    [true, '__attribute__((a"b\\c?#include?))'],
  ])('prints a tag within its line, and a literal as one (attribute: %s)', (kindFlag, expected) => {
    const btf = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT)
      .type(Kind.TYPE_TAG, 'a"b\\c\n#include\u007f', { sizeOrTypeId: 1, kindFlag })
      .type(Kind.PTR, '', { sizeOrTypeId: 2 })
      .type(Kind.TYPEDEF, 'p', { sizeOrTypeId: 3 });
    expect(definitions(btf)).toEqual([`typedef int ${expected} *p`]);
  });

  test('numbers types of one name, and refers to each by its number', () => {
    const member = { vlen: 1, sizeOrTypeId: 4, data: ['a', 1, 0] };
    const btf = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT)
      .type(Kind.STRUCT, 's', member)
      .type(Kind.UNION, 's', member)
      .type(Kind.PTR, '', { sizeOrTypeId: 3 })
      .type(Kind.TYPEDEF, 's', { sizeOrTypeId: 4 })
      .type(Kind.ENUM, 'e', { vlen: 2, sizeOrTypeId: 4, data: ['s', 1, 's', 2] });
    expect(definitions(btf)).toEqual([
      'struct s {\n\tint a;\n}',
      'union s___2 {\n\tint a;\n}',
      'typedef union s___2 *s',
      'enum e {\n\ts___2 = 1,\n\ts___3 = 2,\n}',
    ]);
  });

  test('does not number a declaration, which means the type that has a body', () => {
    const btf = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT)
      .type(Kind.FWD, 's')
      .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 4, data: ['a', 1, 0] })
      .type(Kind.ENUM, 'e', { sizeOrTypeId: 4 })
      .type(Kind.ENUM, 'e', { vlen: 1, sizeOrTypeId: 4, data: ['A', 1] });
    expect(definitions(btf)).toEqual([
      'struct s',
      'struct s {\n\tint a;\n}',
      'enum e',
      'enum e {\n\tA = 1,\n}',
    ]);
  });

  test('gives a va_list in a struct the size that it has in the kernel, which is another one for BPF', () => {
    const btf = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT)
      .type(Kind.STRUCT, '__va_list_tag', { vlen: 2, sizeOrTypeId: 8, data: ['gp', 1, 0, 'fp', 1, 32] })
      .type(Kind.ARRAY, '', { data: [2, 1, 1] })
      .type(Kind.TYPEDEF, '__builtin_va_list', { sizeOrTypeId: 3 })
      .type(Kind.TYPEDEF, 'va_list', { sizeOrTypeId: 4 })
      .type(Kind.PTR, '', { sizeOrTypeId: 5 })
      .type(Kind.ARRAY, '', { data: [5, 1, 2] })
      .type(Kind.STRUCT, 's', { vlen: 3, sizeOrTypeId: 32, data: ['v', 5, 0, 'p', 6, 64, 'a', 7, 128] });
    expect(definitions(btf)).toEqual([
      'struct __va_list_tag {\n\tint gp;\n\tint fp;\n}',
      'typedef __builtin_va_list va_list',
      'struct s {\n\tstruct __va_list_tag v[1];\n\tva_list *p;\n\tunsigned char a[16];\n}',
      '/* Types that C cannot state, as bytes: 1 */\n\n',
    ]);
  });

  test('declares a struct before a typedef of a pointer back to it', () => {
    const btf = new BtfAssembler('little')
      .type(Kind.STRUCT, 'holder', { vlen: 1, sizeOrTypeId: 8, data: ['list', 2, 0] })
      .type(Kind.PTR, '', { sizeOrTypeId: 3 })
      .type(Kind.TYPEDEF, 'holder_t', { sizeOrTypeId: 4 })
      .type(Kind.PTR, '', { sizeOrTypeId: 1 });
    expect(definitions(btf)).toEqual([
      'struct holder',
      'typedef struct holder *holder_t',
      'struct holder {\n\tholder_t *list;\n}',
    ]);
  });

  test('prints only the types that roots need, once', () => {
    const btf = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT)
      .type(Kind.STRUCT, 'other', { vlen: 1, sizeOrTypeId: 4, data: ['a', 1, 0] })
      .type(Kind.STRUCT, 'inner', { vlen: 1, sizeOrTypeId: 4, data: ['a', 1, 0] })
      .type(Kind.PTR, '', { sizeOrTypeId: 2 })
      .type(Kind.STRUCT, 'outer', { vlen: 2, sizeOrTypeId: 16, data: ['in', 3, 0, 'to', 4, 64] });
    expect(definitions(btf, { roots: [5, 3, 5] })).toEqual([
      'struct inner {\n\tint a;\n}',
      'struct other',
      'struct outer {\n\tstruct inner in;\n\tstruct other *to;\n}',
    ]);
  });

  test('prints names outside ASCII as UTF-8, and counts their bytes', () => {
    const btf = new BtfAssembler('little').type(Kind.FWD, 'größe');
    expect(definitions(btf, { maxBytes: 17 })).toEqual(['struct größe']);
    expect(failure(btf, { maxBytes: 16, preamble: false }).code).toBe('LIMIT_EXCEEDED');
  });

  test('stops at the first byte too many', () => {
    const spec = Spec.parse(explosive(4).bytes());
    const { length } = printC(spec);
    expect(printC(spec, { maxBytes: length })).toHaveLength(length);
    expect(failure(explosive(4), { maxBytes: length - 1 })).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: `the text exceeds the limit of ${length - 1} bytes`,
    });
  });

  test.each([
    ['more text than the limit', explosive(30), 'LIMIT_EXCEEDED'],
    ['members without names or end', nameless(20_000), 'LIMIT_EXCEEDED'],
    ['nesting without end', explosive(600), 'LIMIT_EXCEEDED'],
    ['a chain of pointers without end', chain(Kind.PTR, 20_000), 'LIMIT_EXCEEDED'],
    ['a chain of qualifiers without end', chain(Kind.CONST, 20_000), 'LIMIT_EXCEEDED'],
    ['a chain of arrays without end', chain(Kind.ARRAY, 20_000), 'LIMIT_EXCEEDED'],
    ['a chain of functions without end', chain(Kind.FUNC_PROTO, 20_000), 'LIMIT_EXCEEDED'],
    [
      'a struct that contains itself',
      one(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 4, data: ['m', 1, 0] }),
      'MALFORMED',
    ],
    ['a typedef of itself', one(Kind.TYPEDEF, 't', { sizeOrTypeId: 1 }), 'LIMIT_EXCEEDED'],
    ['a pointer to itself', one(Kind.PTR, '', { sizeOrTypeId: 1 }), 'LIMIT_EXCEEDED'],
    ['a type that is not there', one(Kind.TYPEDEF, 't', { sizeOrTypeId: 9 }), 'NOT_FOUND'],
    ['a name that is not there', one(Kind.FWD, 999, {}), 'MALFORMED'],
    ['padding of half a gigabyte', one(Kind.STRUCT, 's', { sizeOrTypeId: 0xffffffff }), 'LIMIT_EXCEEDED'],
    [
      'a typedef of a variable',
      one(Kind.VAR, 'v', { data: [0] }).type(Kind.TYPEDEF, 't', { sizeOrTypeId: 1 }),
      'MALFORMED',
    ],
  ])('ends with an error on %s', (_, btf, code) => {
    expect(failure(btf, { maxBytes: 1 << 20 }).code).toBe(code);
  });

  test('counts as work the sorting of names that are suffixes of one endless string', () => {
    const btf = new BtfAssembler('little').type(Kind.INT, '', INT);
    const endless = btf.string('a'.repeat(100_000));
    for (let i = 0; i < 1000; i++) btf.type(Kind.TYPEDEF, endless + i, { sizeOrTypeId: 1 });
    // Not the limit of the text, which is reached after sorting.
    expect(failure(btf)).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'names are too long or too similar to print',
      typeId: null,
    });
  });

  test('counts as work the comparison of long names of which only the ends differ', () => {
    const btf = new BtfAssembler('little');
    const names = ['-', '+', 'x'].map((end) => btf.string('a'.repeat(1000) + end));
    const [a = 0, b = 0, other = 0] = names;
    const strings = new StringBytes(Spec.parse(btf.type(Kind.FWD, 'f').bytes()));
    const compare = (steps: number, right: number): boolean =>
      strings.sameIdentifier(a, right, new WorkLimit(steps, 0));
    expect([compare(15, b), compare(15, other)]).toEqual([true, false]);
    for (const right of [b, other]) expect(() => compare(14, right)).toThrow('names are too long');
  });
});
