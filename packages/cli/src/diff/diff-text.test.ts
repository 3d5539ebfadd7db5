import { expect, test } from '@jest/globals';
import { Builder, diffSpecs, type NewType, type Spec } from '@btfd/btf';
import { makeColors } from '../output/colors.js';
import { changesData } from './diff-data.js';
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

const lines = (a: Spec, b: Spec): string[] =>
  diffText({ a: 'a', b: 'b' }, diffSpecs(a, b), makeColors(false)).split('\n').slice(2, -1);

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
  const data = changesData(diffSpecs(tags(['x', -1], ['y', -1]), tags(['y', -1], ['x', 0])));
  const tag = 'btf_decl_tag("x")';
  expect(data).toMatchObject({
    changed: [{ tags: { added: [{ tag, position: 1 }], removed: [{ tag }] } }],
  });
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
