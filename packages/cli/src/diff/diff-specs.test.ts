import { expect, test } from '@jest/globals';
import { Builder, type NewType, type Spec } from '@btfd/btf';
import { makeColors } from '../output/colors.js';
import { diffSpecs } from './diff-specs.js';
import { diffText } from './diff-text.js';

const INT = {
  kind: 'INT',
  name: 'int',
  size: 4,
  encoding: 1,
  bits: 32,
  bitOffset: 0,
} as const satisfies NewType;

/** Returns a spec of an int, which has id 1, and of more types. */
function specOf(...types: readonly NewType[]): Spec {
  const builder = new Builder({ deduplicate: false });
  for (const type of [INT, ...types]) builder.add(type);
  return builder.toSpec();
}

const struct = (name: string, ...members: readonly (readonly [name: string, byte: number])[]): NewType => ({
  kind: 'STRUCT',
  name,
  size: members.length * 4,
  members: members.map(([member, byte]) => ({
    name: member,
    typeId: 1,
    bitOffset: byte * 8,
    bitfieldSize: 0,
  })),
});

const ALL = { named: null, kind: null, closure: false };

const lines = (a: Spec, b: Spec): string[] =>
  diffText({ a: 'a', b: 'b' }, diffSpecs(a, b, ALL), makeColors(false))
    .split('\n')
    .slice(2, -1);

test('the order and the ids of types make no difference', () => {
  const [s, t] = [struct('s', ['x', 0]), struct('t', ['y', 0])];
  expect(lines(specOf(s, t), specOf(t, s))).toEqual(['0 removed, 0 added, 0 changed, 3 the same']);
});

test('types with the same name are paired by equality first', () => {
  const [one, two, other] = [struct('s', ['x', 0]), struct('s', ['y', 0]), struct('s', ['z', 0])];
  expect(lines(specOf(one, two), specOf(two, other))).toEqual([
    '~ struct s',
    '    - x: int at 0',
    '    + z: int at 0',
    '0 removed, 0 added, 1 changed, 2 the same',
  ]);
  expect(lines(specOf(one, two), specOf(two))).toEqual([
    '- struct s, 4 bytes',
    '1 removed, 0 added, 0 changed, 2 the same',
  ]);
});

test('a change in an anonymous type is a change of the type around it', () => {
  const around = (value: number): readonly NewType[] => [
    { kind: 'ENUM', name: '', size: 4, signed: false, values: [{ name: 'A', value }] },
    struct('', ['inner', value]),
    { kind: 'PTR', typeId: 3 },
    {
      kind: 'STRUCT',
      name: 'outer',
      size: 8,
      members: [{ name: 'p', typeId: 4, bitOffset: 0, bitfieldSize: 0 }],
    },
  ];
  expect(lines(specOf(...around(0)), specOf(...around(4)))).toEqual([
    '~ struct outer',
    '    ~ p->inner moved by +4 bytes',
    '~ enum (anonymous)',
    '    ~ A = 0 → 4',
    '0 removed, 0 added, 2 changed, 1 the same',
  ]);
});

test('tags of a function and its parameters are compared in any order', () => {
  const tags = (...tagged: readonly [name: string, componentIdx: number][]): Spec =>
    specOf(
      { kind: 'FUNC_PROTO', returnTypeId: 0, params: [{ name: 'a', typeId: 1 }] },
      { kind: 'FUNC', name: 'f', typeId: 2, linkage: 1 },
      ...tagged.map(([name, componentIdx]): NewType => ({
        kind: 'DECL_TAG',
        name,
        typeId: 3,
        componentIdx,
        attribute: false,
      })),
    );
  expect(lines(tags(['x', -1], ['y', -1]), tags(['y', -1], ['x', -1]))).toEqual([
    '0 removed, 0 added, 0 changed, 2 the same',
  ]);
  expect(lines(tags(['x', -1], ['y', -1]), tags(['y', -1], ['x', 0]))).toEqual([
    '~ func f',
    '    - __attribute__((btf_decl_tag("x")))',
    '    + __attribute__((btf_decl_tag("x"))) of parameter 1',
    '0 removed, 0 added, 1 changed, 1 the same',
  ]);
});

test('a member that moved and lost a tag is not listed with those that only moved', () => {
  const tagged = (tag: string): NewType => ({
    kind: 'DECL_TAG',
    name: tag,
    typeId: 2,
    componentIdx: 1,
    attribute: true,
  });
  expect(
    lines(specOf(struct('s', ['x', 0], ['y', 4]), tagged('t')), specOf(struct('s', ['x', 4], ['y', 8]))),
  ).toEqual([
    '~ struct s',
    '    ~ y: int __attribute__((t)) → int, at 4 → 8',
    '    ~ x moved by +4 bytes',
    '0 removed, 0 added, 1 changed, 1 the same',
  ]);
});

test('a type that only one side refers to is compared if both have it, and not reported as removed', () => {
  const user = (typeId: number): NewType => ({ kind: 'TYPEDEF', name: 'u', typeId });
  const [far, farther] = [struct('far', ['x', 0]), struct('far', ['y', 0])];
  const selection = { named: (name: string) => name === 'u', kind: null, closure: true };
  // `u` is `struct far` on one side and an int on the other; both have both.
  const { changed, removed, added, same } = diffSpecs(
    specOf(far, user(2)),
    specOf(farther, user(1)),
    selection,
  );
  expect([removed, added]).toEqual([[], []]);
  expect(changed.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['struct far', 'typedef u']);
  // The int.
  expect(same).toBe(1);
});

test('a 64-bit enum is matched with an enum', () => {
  const values = [{ name: 'A', value: 1 }];
  const before = specOf({ kind: 'ENUM', name: 'e', size: 4, signed: false, values });
  const big = [{ name: 'A', value: 2n ** 63n }];
  const after = specOf({ kind: 'ENUM64', name: 'e', size: 8, signed: false, values: big });
  expect(lines(before, after)).toEqual([
    '~ enum e, 4 → 8 bytes',
    '    ~ A = 1 → 9223372036854775808',
    '0 removed, 0 added, 1 changed, 1 the same',
  ]);
});

test('endlessly nested anonymous types are rejected', () => {
  const loop = specOf(
    {
      kind: 'STRUCT',
      name: 's',
      size: 4,
      members: [{ name: '', typeId: 3, bitOffset: 0, bitfieldSize: 0 }],
    },
    {
      kind: 'STRUCT',
      name: '',
      size: 4,
      members: [{ name: 'm', typeId: 3, bitOffset: 0, bitfieldSize: 0 }],
    },
  );
  expect(() => diffSpecs(loop, specOf(), ALL)).toThrow();
});

test('control sequences in names are replaced', () => {
  expect(lines(specOf(), specOf(struct('a\u001B[2J', ['x', 0])))[0]).toBe('+ struct a�[2J, 4 bytes');
});

test('a typedef that is not a struct any more has no size', () => {
  const anonymous: NewType = { kind: 'STRUCT', name: '', size: 4, members: [] };
  expect(
    lines(
      specOf(anonymous, { kind: 'TYPEDEF', name: 't', typeId: 2 }),
      specOf({ kind: 'TYPEDEF', name: 't', typeId: 1 }),
    ),
  ).toEqual([
    '~ typedef t, 4 → -',
    '    - typedef struct { ... } t',
    '    + typedef int t',
    '0 removed, 0 added, 1 changed, 1 the same',
  ]);
});

test('members without a name are shown as such', () => {
  expect(lines(specOf(struct('s', ['', 0], ['', 4])), specOf(struct('s', ['', 4], ['', 0])))).toEqual([
    '~ struct s',
    '    ~ (unnamed) moved by +4 bytes',
    '    ~ (unnamed) moved by -4 bytes',
    '0 removed, 0 added, 1 changed, 1 the same',
  ]);
});

// At least twice as much, if each member or type were compared with all others of its name.
const CPU_MICROSECONDS = 8_000_000;

test('many members of a struct can share a name', () => {
  const many = (from: number): Spec =>
    specOf(struct('s', ...Array.from({ length: 60_000 }, (_, index) => ['', from + index] as const)));
  const before = process.cpuUsage();
  expect(lines(many(0), many(1)).at(-1)).toBe('0 removed, 0 added, 1 changed, 1 the same');
  expect(process.cpuUsage(before).user).toBeLessThan(CPU_MICROSECONDS);
});

test('an anonymous type counts for each type that contains it, and too many members are rejected', () => {
  const anonymous = struct('', ['x', 0], ['y', 4]);
  const owner = (name: string): NewType => ({
    kind: 'STRUCT',
    name,
    size: 8,
    members: [{ name: '', typeId: 2, bitOffset: 0, bitfieldSize: 0 }],
  });
  const [a, b] = [specOf(anonymous, owner('s'), owner('t')), specOf(anonymous, owner('s'))];
  expect(diffSpecs(a, b, ALL, 4).removed).toHaveLength(1);
  expect(() => diffSpecs(a, b, ALL, 3)).toThrow('the types have more than 3 members in all');
});

test('many types can share a name', () => {
  const many = (from: number): Spec =>
    specOf(...Array.from({ length: 30_000 }, (_, index) => struct('s', ['x', from + 2 * index])));
  const before = process.cpuUsage();
  expect(lines(many(0), many(1)).at(-1)).toBe('0 removed, 0 added, 30000 changed, 1 the same');
  expect(process.cpuUsage(before).user).toBeLessThan(CPU_MICROSECONDS);
});
