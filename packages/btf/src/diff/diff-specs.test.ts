import { expect, test } from '@jest/globals';
import { Builder } from '../build/builder.js';
import type { NewType } from '../build/field-checks.js';
import { Spec } from '../spec.js';
import { diffSpecs, diffSteps, type SpecDiff } from './diff-specs.js';

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

/** Returns how many types were added, removed, changed, and are the same. */
function counts({ added, removed, changed, same }: SpecDiff): readonly number[] {
  return [added.length, removed.length, changed.length, same];
}

test('the order and the ids of types make no difference', () => {
  const [s, t] = [struct('s', ['x', 0]), struct('t', ['y', 0])];
  expect(counts(diffSpecs(specOf(s, t), specOf(t, s)))).toEqual([0, 0, 0, 3]);
});

test('a type that only one side refers to is compared if both have it, and not reported as removed', () => {
  const user = (typeId: number): NewType => ({ kind: 'TYPEDEF', name: 'u', typeId });
  const [far, farther] = [struct('far', ['x', 0]), struct('far', ['y', 0])];
  const selection = { named: (name: string) => name === 'u', closure: true };
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

test('only the types with the wanted names and kinds are compared, and their change has both sides', () => {
  const before = specOf(struct('s', ['x', 0], ['y', 4]), { kind: 'TYPEDEF', name: 's', typeId: 1 });
  const after = specOf(struct('s', ['x', 0], ['z', 4]), struct('t', ['x', 0]));
  const named = (name: string): boolean => name === 's';
  expect(diffSpecs(before, after, { named, kinds: ['struct'] })).toEqual({
    added: [],
    removed: [],
    changed: [
      {
        kind: 'struct',
        name: 's',
        size: null,
        declaration: null,
        members: {
          added: [{ name: 'z', type: 'int', bitOffset: 32, bitfieldSize: 0, tags: [] }],
          removed: [{ name: 'y', type: 'int', bitOffset: 32, bitfieldSize: 0, tags: [] }],
          changed: [],
        },
        values: { added: [], removed: [], changed: [] },
        tags: { added: [], removed: [] },
      },
    ],
    same: 0,
  });
  expect(counts(diffSpecs(before, after, { named }))).toEqual([0, 1, 1, 0]);
  expect(counts(diffSpecs(before, after))).toEqual([1, 1, 1, 1]);
});

test('equal bytes on equal bases are the same, and on other bases are compared', () => {
  const split = (base: Spec): Spec => {
    const builder = new Builder({ base });
    builder.add({ kind: 'TYPEDEF', name: 'own', typeId: 2 });
    return Spec.parse(builder.marshal(), { base });
  };
  const [one, other] = [specOf(struct('s', ['x', 0])), specOf(struct('t', ['x', 0]))];
  expect(split(one).bytes).toEqual(split(other).bytes);
  expect(counts(diffSpecs(split(one), split(Spec.parse(one.bytes))))).toEqual([0, 0, 0, 1]);
  expect(counts(diffSpecs(split(one), split(other)))).toEqual([0, 0, 1, 0]);
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
  expect(() => diffSpecs(loop, specOf())).toThrow('anonymous types nest deeper than 32 levels');
});

// At least twice as much, if each member or type were compared with all others of its name.
const CPU_MICROSECONDS = 8_000_000;

test('many members of a struct can share a name', () => {
  const many = (from: number): Spec =>
    specOf(struct('s', ...Array.from({ length: 60_000 }, (_, index) => ['', from + index] as const)));
  const before = process.cpuUsage();
  expect(counts(diffSpecs(many(0), many(1)))).toEqual([0, 0, 1, 1]);
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
  expect(diffSpecs(a, b, { maxMembers: 4 }).removed).toHaveLength(1);
  expect(() => diffSpecs(a, b, { maxMembers: 3 })).toThrow('the types have more than 3 members in all');
});

test('many types can share a name', () => {
  const many = (from: number): Spec =>
    specOf(...Array.from({ length: 30_000 }, (_, index) => struct('s', ['x', from + 2 * index])));
  const before = process.cpuUsage();
  expect(counts(diffSpecs(many(0), many(1)))).toEqual([0, 0, 30_000, 1]);
  expect(process.cpuUsage(before).user).toBeLessThan(CPU_MICROSECONDS);
});

test('all types are compared in short steps, with the same result', () => {
  const many = (from: number): Spec =>
    specOf(...Array.from({ length: 3_000 }, (_, index) => struct(`s${index}`, ['x', from + (index % 2)])));
  const [before, after] = [many(0), many(1)];
  const steps = diffSteps(before, after, { closure: true });
  let pauses = 0;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) {
      expect(step.value).toEqual(diffSpecs(before, after, { closure: true }));
      break;
    }
    pauses += 1;
  }
  expect(pauses).toBeGreaterThan(30);
});

test('the encoding of an int is a word, as bpftool has it', () => {
  const spec = (encoding: number): Spec => specOf({ ...INT, name: 'flag', size: 1, bits: 8, encoding });
  const [change] = diffSpecs(spec(0), spec(4)).changed;
  expect(change?.declaration).toEqual({ from: '8 bits, encoding=(none)', to: '8 bits, encoding=BOOL' });
});
