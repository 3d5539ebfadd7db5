import { describe, expect, jest, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { BtfFormatError } from '../format-error.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { mutate } from '../testing/mutate.js';
import { Kind } from '../types.js';
import { type KernelFeatures, kernelFeaturesOf } from '../kernel/kernel-features.js';
import { RawTypes } from './raw-types.js';
import { validate } from './validate.js';

// The package of the end-to-end tests compares the kernel's rules with the live kernel.

const LOCK = 1;
const LIST = 2;
const NODE = 3;
const INT = 4;

/** A lock, the head and node of a list, and an int. Types that are added start at id 5. */
const start = (): BtfAssembler =>
  new BtfAssembler('little')
    .type(Kind.STRUCT, 'bpf_spin_lock', { sizeOrTypeId: 4 })
    .type(Kind.STRUCT, 'bpf_list_head', { sizeOrTypeId: 16 })
    .type(Kind.STRUCT, 'bpf_list_node', { sizeOrTypeId: 24 })
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] });

type Member = readonly [name: string, typeId: number, byte: number];

const struct = (
  btf: BtfAssembler,
  name: string | number,
  size: number,
  ...members: readonly Member[]
): BtfAssembler =>
  btf.type(Kind.STRUCT, name, {
    sizeOrTypeId: size,
    vlen: members.length,
    data: members.flatMap(([member, typeId, byte]) => [member, typeId, byte * 8]),
  });

const contains = (btf: BtfAssembler, structId: number, member: number, what: string): BtfAssembler =>
  btf.type(Kind.DECL_TAG, `contains:${what}`, { sizeOrTypeId: structId, data: [member] });

const problemsOf = (btf: BtfAssembler, kernelFeatures: Partial<KernelFeatures> = {}): string[] =>
  validate(Spec.parse(btf.bytes()), { kernelFeatures }).map(({ message }) => message);

test('a problem has the id of the struct and the index of the member', () => {
  const btf = struct(start(), 'two', 8, ['a', LOCK, 0], ['b', LOCK, 4]);
  struct(btf, 'untagged', 32, ['lock', LOCK, 0], ['list', LIST, 8]);
  struct(btf, 'bare', 16, ['list', LIST, 0]);
  expect(validate(Spec.parse(btf.bytes()))).toEqual([
    { typeId: 5, component: 1, message: 'More than one bpf_spin_lock (E2BIG)', offset: null },
    { typeId: 6, component: 1, message: 'Root without contains: tag (EINVAL)', offset: null },
    { typeId: 7, component: 0, message: 'Root without contains: tag (EINVAL)', offset: null },
  ]);
});

describe('a kernel of a release checks', () => {
  const inArray = (): BtfAssembler =>
    struct(
      start().type(Kind.ARRAY, 0, { data: [LIST, INT, 2] }),
      's',
      40,
      ['lists', 5, 0],
      ['lock', LOCK, 32],
    );
  const pointer = (tag: string): BtfAssembler =>
    struct(
      start().type(Kind.PTR, 0, { sizeOrTypeId: 6 }).type(Kind.TYPE_TAG, tag, { sizeOrTypeId: INT }),
      's',
      16,
      ['p', 5, 0],
      ['lock', LOCK, 8],
    );
  const resLocks = (): BtfAssembler =>
    struct(
      start().type(Kind.STRUCT, 'bpf_res_spin_lock', { sizeOrTypeId: 4 }),
      's',
      12,
      ['a', 5, 0],
      ['b', 5, 4],
      ['l', LOCK, 8],
    );
  const twoLocks = (): BtfAssembler => struct(start(), 's', 8, ['a', LOCK, 0], ['b', LOCK, 4]);

  test.each<[string, keyof KernelFeatures, number, number, () => BtfAssembler, string]>([
    ['locks', 'specialFields', 6, 6, twoLocks, 'More than one bpf_spin_lock (E2BIG)'],
    ['the elements of arrays', 'nestedFields', 6, 11, inArray, 'Root without contains: tag (EINVAL)'],
    [
      'tagged pointers',
      'pointerFields',
      6,
      12,
      () => pointer('kptr'),
      'Pointer tagged kptr to a type that is not a struct (EINVAL)',
    ],
    ['res locks', 'resilientLocks', 6, 15, resLocks, 'More than one bpf_res_spin_lock (E2BIG)'],
  ])('%s (%s) since %d.%d', (_, feature, major, minor, make, message) => {
    const before = kernelFeaturesOf(major, minor - 1);
    const since = kernelFeaturesOf(major, minor);
    expect([before[feature], since[feature]]).toEqual([false, true]);
    expect(problemsOf(make(), since)).toContain(message);
    expect(problemsOf(make(), before)).not.toContain(message);
  });

  test('the tag uptr since 6.13', () => {
    const unknown = 'Pointer with a type tag that is not for programs (EINVAL)';
    expect(problemsOf(pointer('uptr'), kernelFeaturesOf(6, 12))).toEqual([unknown]);
    expect(problemsOf(pointer('uptr'), kernelFeaturesOf(6, 13))).toEqual([]);
  });
});

describe('since 7.2, a kernel', () => {
  const before = kernelFeaturesOf(7, 1);
  const since = kernelFeaturesOf(7, 2);
  /** A struct with a lock, and with a pointer to the type with id 6. Types that are added start there. */
  const pointer = (): BtfAssembler =>
    struct(start().type(Kind.PTR, 0, { sizeOrTypeId: 7 }), 's', 16, ['p', 5, 0], ['lock', LOCK, 8]);
  const tag = (btf: BtfAssembler, name: string, typeId: number, kindFlag = false): BtfAssembler =>
    btf.type(Kind.TYPE_TAG, name, { sizeOrTypeId: typeId, kindFlag });
  const several = 'Pointer with several type tags (EINVAL)';
  const unknown = 'Pointer with a type tag that is not for programs (EINVAL)';
  const special = 'Pointer with several special type tags (EINVAL)';
  const noStruct = (name: string): string => `Pointer tagged ${name} to a type that is not a struct (EINVAL)`;

  // The first four are recorded: 6.18.44, 7.2.12 and 7.3.4 did the same. The rest follows the source of 7.2.
  test.each<[what: string, btf: BtfAssembler, before: string | null, since: string | null]>([
    [
      'accepts a tag after a qualifier',
      tag(pointer().type(Kind.CONST, 0, { sizeOrTypeId: 8 }), 'kptr', NODE),
      "Type tags don't precede modifiers",
      null,
    ],
    ['accepts the same tag twice', tag(tag(pointer(), 'kptr', 8), 'kptr', NODE), several, null],
    ['accepts an unknown tag', tag(pointer(), 'foo', NODE), unknown, null],
    [
      'finds a special tag after an attribute',
      tag(tag(pointer(), 'kptr', 8, true), 'kptr', INT),
      null,
      noStruct('kptr'),
    ],
    ['ignores attributes', tag(tag(pointer(), 'percpu_kptr', 8, true), 'kptr', NODE), null, null],
    ['refuses two special tags', tag(tag(pointer(), 'kptr', 8), 'percpu_kptr', NODE), several, special],
    ['refuses uptr with another special tag', tag(tag(pointer(), 'uptr', 8), 'kptr', NODE), several, special],
    ['accepts a special and an unknown tag', tag(tag(pointer(), 'kptr', 8), 'user', NODE), several, null],
    ['refuses a tag on no struct', tag(tag(pointer(), 'user', 8), 'kptr', INT), several, noStruct('kptr')],
    ['ignores uptr to no struct', tag(pointer(), 'uptr', INT), null, null],
  ])('%s', (_, btf, old, now) => {
    expect(problemsOf(btf, before)).toEqual(old === null ? [] : [old]);
    expect(problemsOf(btf, since)).toEqual(now === null ? [] : [now]);
  });

  test('finds a second lock or reference count in the structs within a struct', () => {
    const inner = (): BtfAssembler => struct(start(), 'inner', 4, ['lock', LOCK, 0]);
    const message = 'More than one bpf_spin_lock (E2BIG)';
    const beside = struct(inner(), 'outer', 8, ['in', 5, 0], ['lock', LOCK, 4]);
    const inBoth = struct(inner(), 'outer', 32, ['a', 5, 0], ['b', 5, 4], ['n', NODE, 8]);
    const deep = struct(struct(inner(), 'mid', 4, ['in', 5, 0]), 'outer', 8, ['lock', LOCK, 0], ['in', 6, 4]);
    for (const btf of [beside, deep]) {
      expect(problemsOf(btf, { ...before, uniqueFields: false })).not.toContain(message);
      expect(problemsOf(btf, since)).toEqual([message]);
    }
    expect(problemsOf(inBoth, since)).toEqual([message]);
    // A stable release may have the check early.
    expect(problemsOf(beside, { ...kernelFeaturesOf(6, 12), uniqueFields: true })).toEqual([message]);
    const counts = struct(
      start().type(Kind.STRUCT, 'bpf_refcount', { sizeOrTypeId: 4 }),
      's',
      8,
      ['a', 5, 0],
      ['b', 5, 4],
    );
    expect(problemsOf(counts, since)).toEqual(['More than one bpf_refcount (E2BIG)']);
  });

  test('accepts up to 8 structs that own each other, and no more', () => {
    const tooMany = 'More than 8 structs own each other (ELOOP)';
    const old = 'Elements of a list or tree own elements that own others (ELOOP)';
    /** A list of elements that have lists, and so on. */
    const chain = (length: number): BtfAssembler => {
      const btf = struct(start(), 'last', 24, ['node', NODE, 0]);
      for (let i = 1; i < length; i++) {
        struct(btf, `s${i}`, 48, ['node', NODE, 0], ['list', LIST, 24], ['lock', LOCK, 40]);
      }
      for (let i = 1; i < length; i++) contains(btf, 5 + i, 1, `${i === 1 ? 'last' : `s${i - 1}`}:node`);
      return btf;
    };
    const lengths = [1, 2, 3, 8, 9, 40].map((length) => [length, problemsOf(chain(length), since)] as const);
    expect(lengths).toEqual([
      [1, []],
      [2, []],
      [3, []],
      [8, []],
      [9, [tooMany]],
      [40, [tooMany]],
    ]);
    expect(problemsOf(chain(3), before)).toEqual([old]);
    // A stable release may have the rule early.
    expect(problemsOf(chain(3), { ...kernelFeaturesOf(6, 12), ownershipDepth: true })).toEqual([]);
  });

  test('counts pointers that own their target', () => {
    const problemOf = (tagName: string): string[] => {
      const btf = start().type(Kind.PTR, 0, { sizeOrTypeId: 6 });
      tag(btf, tagName, 7);
      return problemsOf(struct(btf, 'own', 16, ['next', 5, 0], ['lock', LOCK, 8]), since);
    };
    expect(problemOf('kptr')).toEqual(['More than 8 structs own each other (ELOOP)']);
    expect(problemOf('kptr_untrusted')).toEqual([]);
  });

  test('reads a chain of modifiers that many pointers share once', () => {
    const [length, pointers] = [2_000, 2_000];
    const btf = start();
    tag(btf, 'kptr', NODE);
    for (let i = 0; i < length; i++) btf.type(Kind.TYPEDEF, 't', { sizeOrTypeId: INT + 1 + i });
    for (let i = 0; i < pointers; i++) btf.type(Kind.PTR, 0, { sizeOrTypeId: INT + 1 + length });
    const read = jest.spyOn(RawTypes.prototype, 'word');
    expect(problemsOf(btf, since)).toEqual([]);
    const words = read.mock.calls.length;
    read.mockRestore();
    expect(words).toBeLessThan((length * pointers) / 20);
  });
});

test('split BTF has no special fields: the kernel does not search for them in that of a module', () => {
  const base = struct(start(), 'two', 8, ['a', LOCK, 0], ['b', LOCK, 4]);
  const split = struct(new BtfAssembler('little', base.stringEnd), 'own', 8, ['a', LOCK, 0], ['b', LOCK, 4]);
  expect(validate(Spec.parse(base.bytes()))).toHaveLength(1);
  expect(validate(Spec.parse(split.bytes(), { base: Spec.parse(base.bytes()) }))).toEqual([]);
});

describe('validate is fast where the kernel takes very long', () => {
  test('20,000 lists, each with a tag of its own', () => {
    const count = 20_000;
    const btf = struct(start(), 'elem', 24, ['node', NODE, 0]);
    for (let i = 0; i < count; i++) struct(btf, `s${i}`, 24, ['list', LIST, 0], ['lock', LOCK, 16]);
    for (let i = 0; i < count; i++) contains(btf, 6 + i, 0, 'elem:node');
    expect(problemsOf(btf)).toEqual([]);
  });

  test('structs that contain the next one three times, 30 deep', () => {
    const depth = 30;
    const btf = start();
    for (let i = 0; i < depth; i++) {
      const next = 6 + i;
      struct(btf, `s${i}`, 0, ['a', next, 0], ['b', next, 0], ['c', next, 0]);
    }
    struct(btf, 'last', 0);
    struct(btf, 'top', 8, ['lock', LOCK, 0], ['first', 5, 8]);
    expect(problemsOf(btf)).toEqual([]);
  });

  test('a tag on a pointer before a long chain of typedefs, many times', () => {
    const count = 30_000;
    const btf = start();
    for (let i = 0; i < count; i++) btf.type(Kind.TYPEDEF, 't', { sizeOrTypeId: INT + i });
    const last = INT + count;
    for (let i = 0; i < count; i++) {
      btf.type(Kind.PTR, 0, { sizeOrTypeId: last + 2 + 2 * i });
      btf.type(Kind.TYPE_TAG, 'kptr', { sizeOrTypeId: last });
    }
    expect(problemsOf(btf)).toEqual([]);
  });
});

test('mutants of structs with special fields end in a list of problems', () => {
  const random = seeded(1618);
  const btf = struct(
    start(),
    'owner',
    64,
    ['list', LIST, 0],
    ['lock', LOCK, 16],
    ['p', 7, 24],
    ['in', 9, 32],
  );
  contains(btf, 5, 0, 'elem:node'); // 6
  btf.type(Kind.PTR, 0, { sizeOrTypeId: 8 }).type(Kind.TYPE_TAG, 'kptr', { sizeOrTypeId: 10 }); // 7, 8
  btf.type(Kind.ARRAY, 0, { data: [7, INT, 4] }); // 9
  struct(btf, 'elem', 32, ['node', NODE, 0]); // 10
  const bytes = btf.bytes();
  expect(validate(Spec.parse(bytes))).toEqual([]);
  const special = new Set<string>();
  for (let i = 0; i < 4000; i++) {
    try {
      const [problem] = validate(Spec.parse(mutate(bytes, random)));
      if (problem?.message.endsWith(')') === true) special.add(problem.message);
    } catch (error) {
      expect(error).toBeInstanceOf(BtfFormatError);
    }
  }
  expect(special.size).toBeGreaterThan(8);
});

test('the fields of an array are counted without overflow, on which some kernels crash', () => {
  // 0x1999999a structs with ten fields each: 0x100000004.
  const btf = start()
    .type(Kind.TYPE_TAG, 'kptr_untrusted', { sizeOrTypeId: INT + 3 })
    .type(Kind.PTR, 0, { sizeOrTypeId: INT + 1 });
  struct(btf, 'target', 4, ['a', INT, 0]);
  btf.type(Kind.ARRAY, 0, { data: [INT + 2, INT, 1] });
  const ten = Array.from({ length: 10 }, (): Member => ['p', INT + 4, 0]);
  struct(btf, 'ten', 8, ...ten).type(Kind.ARRAY, 0, { data: [INT + 5, INT, 0x1999999a] });
  struct(btf, 'outer', 0xccccccd8, ['p', INT + 2, 0], ['many', INT + 6, 8]);
  expect(problemsOf(btf)).toEqual(['More than 11 special fields (E2BIG)']);
});
