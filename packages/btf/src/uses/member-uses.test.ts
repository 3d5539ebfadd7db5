import { describe, expect, test } from '@jest/globals';
import { Builder } from '../build/builder.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { readErrorOf } from '../testing/read-error-of.js';
import { Kind, type TypeId } from '../types.js';
import { membersContaining, membersPointingTo, type MemberUse } from './member-uses.js';

const INT = { sizeOrTypeId: 4, data: [32] };

/** A struct of members without a place: [name, type] each. */
const members = (...list: readonly (readonly [name: string, typeId: number])[]) => ({
  vlen: list.length,
  sizeOrTypeId: 64,
  data: list.flatMap(([name, typeId], index) => [name, typeId, 64 * index]),
});

const spec = Spec.parse(
  new BtfAssembler('little')
    .type(Kind.INT, 'int', INT) // 1
    .type(Kind.STRUCT, 'lock', members(['raw', 1])) // 2
    .type(Kind.TYPEDEF, 'lock_t', { sizeOrTypeId: 2 }) // 3
    .type(Kind.CONST, '', { sizeOrTypeId: 3 }) // 4
    .type(Kind.ARRAY, '', { data: [4, 1, 4] }) // 5
    .type(Kind.UNION, '', members(['own', 2], ['other', 1])) // 6
    .type(Kind.PTR, '', { sizeOrTypeId: 4 }) // 7
    .type(Kind.PTR, '', { sizeOrTypeId: 7 }) // 8
    .type(Kind.ARRAY, '', { data: [8, 1, 2] }) // 9
    .type(Kind.STRUCT, 'queue', members(['n', 1], ['', 6], ['locks', 5], ['in', 6], ['p', 7], ['pp', 9])) // 10
    .type(Kind.STRUCT, '', members(['plain', 2])) // 11
    .type(Kind.TYPEDEF, 'plain_t', { sizeOrTypeId: 11 }) // 12
    .type(Kind.TYPEDEF, 'again_t', { sizeOrTypeId: 11 }) // 13
    .type(Kind.ARRAY, '', { data: [10, 1, 3] }) // 14
    .type(Kind.STRUCT, 'outer', members(['queues', 14], ['plain', 13], ['q', 15])) // 15
    .bytes(),
  // `outer.q` is a member of the type itself: only invalid BTF has one.
);

const valid = Spec.parse(
  new BtfAssembler('little')
    .type(Kind.INT, 'int', INT) // 1
    .type(Kind.STRUCT, '', members(['lonely', 1])) // 2
    .bytes(),
);

const texts = (uses: Iterable<MemberUse>): string[] =>
  [...uses].map(({ name, path, pointers }) => `${name}.${path}${'*'.repeat(pointers)}`);

describe('the members that contain a type', () => {
  test('are found through typedefs, qualifiers and arrays, and in anonymous types', () => {
    expect(texts(membersContaining(spec, [2]))).toEqual([
      'queue.own',
      'queue.locks',
      'queue.in.own',
      'plain_t.plain',
    ]);
  });

  test('have their own type, and a place from the start of the struct', () => {
    expect([...membersContaining(spec, [2])][2]).toEqual({
      typeId: 10,
      name: 'queue',
      path: 'in.own',
      bitOffset: 192,
      bitfieldSize: 0,
      memberTypeId: 2,
      pointers: 0,
    });
    expect([...membersContaining(spec, [2])][3]).toMatchObject({ typeId: 12, name: 'plain_t' });
  });

  test('of a typedef are those that use it', () => {
    expect(texts(membersContaining(spec, [3]))).toEqual(['queue.locks']);
  });

  test('of several types are those of any', () => {
    expect(texts(membersContaining(spec, [3, 11]))).toEqual(['queue.locks', 'outer.plain']);
  });

  test('of structs without a name and a typedef are reported, too', () => {
    expect(texts(membersContaining(valid, [1]))).toEqual(['.lonely']);
  });

  test('of a struct without a name are not those of a typedef of its array, from which no path leads there', () => {
    const list = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT) // 1
      .type(Kind.STRUCT, '', members(['value', 1])) // 2
      .type(Kind.ARRAY, '', { data: [2, 1, 4] }) // 3
      .type(Kind.TYPEDEF, 'four_t', { sizeOrTypeId: 3 }); // 4
    expect(texts(membersContaining(Spec.parse(list.bytes()), [1]))).toEqual(['.value']);
  });

  test('have the path of the struct around them if they have no name, as with -fms-extensions', () => {
    const list = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT) // 1
      .type(Kind.STRUCT, 'base', members(['value', 1])) // 2
      .type(Kind.STRUCT, 'derived', members(['', 2])) // 3
      .type(Kind.STRUCT, 'outer', members(['d', 3])); // 4
    const found = membersContaining(Spec.parse(list.bytes()), [2], { nested: true });
    expect(texts(found)).toEqual(['derived.', 'outer.d']);
  });

  test('count in a module, whose types refer to its base', () => {
    const base = new Builder();
    const int = base.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
    const own = (name: string) => ({ name, typeId: int, bitOffset: 0, bitfieldSize: 0 });
    base.add({ kind: 'STRUCT', name: 'in_base', size: 4, members: [own('a')] });
    const module = new Builder({ base: base.toSpec() });
    module.add({ kind: 'STRUCT', name: 'in_module', size: 4, members: [own('b')] });
    const split = module.toSpec();
    expect(texts(membersContaining(split, [int]))).toEqual(['in_module.b']);
    expect(texts(membersContaining(split, [int], { firstId: 1 }))).toEqual(['in_base.a', 'in_module.b']);
  });
});

test('members of named structs count with `nested`, to any depth', () => {
  const holder = new Builder();
  const int = holder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const struct = (name: string, ...inner: readonly (readonly [string, TypeId])[]): TypeId =>
    holder.add({
      kind: 'STRUCT',
      name,
      size: 4 * inner.length,
      members: inner.map(([member, typeId], i) => ({
        name: member,
        typeId,
        bitOffset: 32 * i,
        bitfieldSize: 0,
      })),
    });
  const leaf = struct('leaf', ['value', int]);
  const pair = struct('pair', ['first', leaf], ['second', leaf]);
  const pairs = holder.add({ kind: 'ARRAY', name: '', typeId: pair, indexTypeId: int, nelems: 2 });
  struct('root', ['skipped', int], ['pairs', pairs]);
  const nested = holder.toSpec();
  expect(texts(membersContaining(nested, [leaf]))).toEqual(['pair.first', 'pair.second']);
  const found = [...membersContaining(nested, [leaf], { nested: true })];
  expect(texts(found)).toEqual(['pair.first', 'pair.second', 'root.pairs[0].first', 'root.pairs[0].second']);
  expect(found[3]?.bitOffset).toBe(64);
});

test('the members that point to a type are found through several pointers', () => {
  expect(texts(membersPointingTo(spec, [2]))).toEqual(['queue.p*', 'queue.pp**']);
  expect(texts(membersPointingTo(spec, [7]))).toEqual(['queue.pp*']);
});

describe('hostile BTF', () => {
  test('an id that no type has is an error, one within the BTF is not', () => {
    expect(readErrorOf(() => [...membersContaining(spec, [99])])).toMatchObject({
      name: 'BtfLookupError',
      wanted: 99,
    });
    const dangling = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT)
      .type(Kind.STRUCT, 's', members(['gone', 99], ['here', 1]));
    expect(texts(membersContaining(Spec.parse(dangling.bytes()), [1]))).toEqual(['s.here']);
  });

  test('loops of typedefs, pointers and arrays lead nowhere', () => {
    const loops = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT) // 1
      .type(Kind.TYPEDEF, 'a', { sizeOrTypeId: 3 }) // 2
      .type(Kind.PTR, '', { sizeOrTypeId: 2 }) // 3
      .type(Kind.ARRAY, '', { data: [4, 1, 2] }) // 4
      .type(Kind.STRUCT, 's', members(['a', 2], ['b', 3], ['c', 4], ['d', 1])); // 5
    const looped = Spec.parse(loops.bytes());
    expect(texts(membersContaining(looped, [1], { nested: true }))).toEqual(['s.d']);
    expect(texts(membersPointingTo(looped, [1], { nested: true }))).toEqual([]);
  });

  test('a struct that contains itself ends at a depth', () => {
    expect(readErrorOf(() => [...membersContaining(spec, [2], { nested: true })])).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('64 levels'),
    });
  });

  test('unions that double with each level end after a number of members, or of characters', () => {
    const doubling = new BtfAssembler('little').type(Kind.INT, 'int', INT);
    for (let id = 1; id < 40; id++) doubling.type(Kind.UNION, '', members(['', id], ['', id]));
    doubling.type(Kind.STRUCT, 'top', members(['x', 40]));
    let count = 0;
    const error = readErrorOf(() => {
      for (const use of membersContaining(Spec.parse(doubling.bytes()), [1])) count += use.pointers + 1;
    });
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(count).toBeGreaterThan(1000);
  });

  test('a long chain of typedefs is followed once for all members', () => {
    const chain = new BtfAssembler('little').type(Kind.INT, 'int', INT);
    for (let id = 1; id <= 2000; id++) chain.type(Kind.TYPEDEF, 't', { sizeOrTypeId: id });
    const data = Array.from({ length: 600_000 }, (_, word) => (word % 3 === 1 ? 2001 : 0));
    chain.type(Kind.STRUCT, 'wide', { vlen: 200_000, sizeOrTypeId: 8, data });
    let found = 0;
    for (const { pointers } of membersContaining(Spec.parse(chain.bytes()), [1])) found += 1 - pointers;
    expect(found).toBe(200_000);
  });
});
