import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind, type TypeId } from '../types.js';
import { MemberPathError, type MemberProblem } from './member-error.js';
import { resolveMember, resolveMemberOf } from './resolve-member.js';

/**
 * `struct task_struct { int pid; struct nsproxy *ns; }`, once with `nsproxy` as a declaration (5) and once as another struct
 * (7). The kernel's tools print the offsets 0 and 8 for both, with `bpftool btf dump file dupts.btf`.
 */
const DUPLICATES = fileURLToPath(new URL('testdata/dupts.btf', import.meta.url));

const INT = 1;
const LONG = 2;

/** Starts BTF with `int`, of type id 1, and `long`, of type id 2. */
function withInts(): BtfAssembler {
  return new BtfAssembler('little')
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
    .type(Kind.INT, 'long', { sizeOrTypeId: 8, data: [64] });
}

type Fields = readonly (readonly [name: string, typeId: TypeId, bitOffset: number])[];

/** The words of a struct or union of 64 bytes. */
function fields(...members: Fields): { vlen: number; sizeOrTypeId: number; data: (string | number)[] } {
  return { vlen: members.length, sizeOrTypeId: 64, data: members.flat() };
}

function failure(run: () => unknown): MemberPathError {
  try {
    run();
  } catch (error) {
    if (error instanceof MemberPathError) return error;
    throw error;
  }
  throw new Error('the path was resolved');
}

describe('of several types with one name', () => {
  test('the result is that of the first if all agree: a name that is twice in a kernel', () => {
    const spec = Spec.parse(new Uint8Array(readFileSync(DUPLICATES)));
    const [first, second] = spec.idsByName('task_struct');
    expect(resolveMember(spec, 'task_struct.pid')).toMatchObject({
      rootId: first,
      bitOffset: 0,
      bitSize: 32,
      typeId: 1,
    });
    expect(resolveMember(spec, `${second}.pid`)).toMatchObject({ rootId: second, bitOffset: 0, bitSize: 32 });
    // They have pointers at the same place, but to structs of different names.
    const { problem, candidates } = failure(() => resolveMember(spec, 'task_struct.ns'));
    expect([problem, candidates.map(({ typeId, member }) => [typeId, member?.bitOffset])]).toEqual([
      'AMBIGUOUS',
      [
        [first, 64],
        [second, 64],
      ],
    ]);
  });

  const btf = withInts()
    .type(
      Kind.STRUCT,
      'twin',
      fields(['here', INT, 0], ['moved', INT, 0], ['wider', INT, 64], ['a', INT, 96]),
    ) // 3
    .type(Kind.FUNC_PROTO, '', {}) // 4
    .type(Kind.FUNC, 'twin', { sizeOrTypeId: 4 }) // 5
    .type(Kind.FWD, 'twin') // 6
    .type(
      Kind.UNION,
      'twin',
      fields(['here', INT, 0], ['moved', INT, 32], ['wider', LONG, 64], ['b', INT, 96]),
    ) // 7
    .type(Kind.VAR, 'twin', { sizeOrTypeId: 3, data: [0] }) // 8
    .type(Kind.STRUCT, 0, fields(['here', INT, 0], ['moved', INT, 64], ['deep', 10, 0])) // 9
    .type(Kind.ARRAY, 0, { data: [7, INT, 4] }) // 10
    .type(Kind.CONST, 0, { sizeOrTypeId: 9 }) // 11
    .type(Kind.TYPEDEF, 'twin_again', { sizeOrTypeId: 11 }) // 12
    .type(Kind.TYPEDEF, 'twin', { sizeOrTypeId: 12 }) // 13
    .type(Kind.TYPEDEF, 'twin', { sizeOrTypeId: 3 }) // 14
    .type(Kind.TYPEDEF, 'twin', { sizeOrTypeId: 6 }) // 15
    .type(Kind.STRUCT, 'twin___old', fields(['old', INT, 0])) // 16
    .type(Kind.STRUCT, 'only___old', fields(['x', INT, 0])); // 17
  const spec = Spec.parse(btf.bytes());

  test('functions, variables, declarations, and typedefs of a type that counts already, do not count', () => {
    expect(resolveMember(spec, 'twin.here')).toMatchObject({ rootId: 3, bitOffset: 0, bitSize: 32 });
    const { candidates } = failure(() => resolveMember(spec, 'twin.moved'));
    expect(candidates.map(({ typeId, path, member }) => [typeId, path, member?.bitOffset])).toEqual([
      [3, '3.moved', 0],
      [7, '7.moved', 32],
      [9, '9.moved', 64],
    ]);
  });

  test('those that do not have the member do not count', () => {
    expect(resolveMember(spec, 'twin.a').rootId).toBe(3);
    expect(resolveMember(spec, 'twin.b').rootId).toBe(7);
    expect(resolveMember(spec, 'twin.deep[1].b')).toMatchObject({ rootId: 9, bitOffset: 512 + 96 });
  });

  test('an ambiguous path has all of them in its error, with a path that means each', () => {
    const error = failure(() => resolveMember(spec, 'twin.wider'));
    expect(error).toMatchObject({ code: 'AMBIGUOUS', problem: 'AMBIGUOUS', step: -1, near: [] });
    expect(error.message).toBe(
      'twin: 3 types have the name, and .wider differs in them: struct twin (type id 3), union twin (type id 7), anonymous ' +
        'struct (type id 9); name one by its id, for example 3.wider',
    );
    for (const { path, member } of error.candidates) {
      if (member === null) expect(failure(() => resolveMember(spec, path)).problem).toBe('NO_SUCH_MEMBER');
      else expect(resolveMember(spec, path)).toEqual(member);
    }
    expect(error.candidates.map(({ member }) => member?.bitSize ?? null)).toEqual([32, 64, null]);
  });

  test('a keyword chooses, and the whole types are compared by a path without steps', () => {
    expect(resolveMember(spec, 'union twin.moved').rootId).toBe(7);
    const whole = failure(() => resolveMember(spec, 'twin'));
    expect(whole.candidates.map(({ path, member }) => [path, member?.rootId])).toEqual([
      ['3', 3],
      ['7', 7],
      ['9', 9],
    ]);
    expect(whole.message).toMatch(/^twin: 3 types have the name, and they differ: .*, for example 3$/);
  });

  test('flavours are names of their own, and are suggested', () => {
    expect(resolveMember(spec, 'twin___old.old').rootId).toBe(16);
    expect(failure(() => resolveMember(spec, 'twin.old')).problem).toBe('NO_SUCH_MEMBER');
    expect(failure(() => resolveMember(spec, 'only.x')).near).toEqual(['only___old']);
    expect(failure(() => resolveMember(spec, 'only___new.x')).near).toEqual(['only___old']);
  });

  test('a member that none of them has is reported once, with names near it', () => {
    const { message, near, problem } = failure(() => resolveMember(spec, 'twin.movd'));
    expect([problem, near]).toEqual(['NO_SUCH_MEMBER', ['moved']]);
    expect(message).toBe(
      'twin.movd: struct twin has no such member, and the path leads nowhere in 2 other types of this name; did you mean ' +
        '"moved"?',
    );
    expect(failure(() => resolveMember(spec, 'twin.movd', { suggest: false })).near).toEqual([]);
    // The failure after the most steps.
    expect(failure(() => resolveMember(spec, 'twin.deep[0].x'))).toMatchObject({ step: 2 });
  });

  test('very many are counted, not followed', () => {
    const many = withInts();
    const name = many.string('many');
    const member = many.string('m');
    for (let i = 0; i < 100; i++) {
      many.type(Kind.STRUCT, name, { vlen: 1, sizeOrTypeId: 4, data: [member, INT, i] });
    }
    const parsed = Spec.parse(many.bytes());
    expect(failure(() => resolveMember(parsed, 'many.m'))).toMatchObject({
      problem: 'AMBIGUOUS',
      candidates: [],
    });
    expect(resolveMember(parsed, '102.m')).toMatchObject({ bitOffset: 99 });
  });
});

describe('a pointer to a declaration', () => {
  const btf = withInts()
    .type(Kind.FWD, 'inner') // 3
    .type(Kind.PTR, 0, { sizeOrTypeId: 3 }) // 4
    .type(Kind.STRUCT, 'outer', fields(['p', 4, 64])) // 5
    .type(Kind.STRUCT, 'inner', fields(['same', INT, 32], ['moved', INT, 0], ['p', 4, 0])) // 6
    .type(Kind.STRUCT, 'inner', fields(['same', INT, 32], ['moved', INT, 64], ['p', 4, 0])); // 7
  const spec = Spec.parse(btf.bytes());

  test('leads to all definitions of its name', () => {
    expect(resolveMember(spec, 'outer.p.same')).toMatchObject({
      containerId: 6,
      bitOffset: 32,
      dereferences: [{ bitOffset: 64 }],
    });
    const error = failure(() => resolveMember(spec, 'outer.p.moved'));
    expect(error).toMatchObject({ problem: 'AMBIGUOUS', step: 1 });
    expect(error.candidates.map(({ typeId, path, member }) => [typeId, path, member?.bitOffset])).toEqual([
      [6, '6.moved', 0],
      [7, '7.moved', 64],
    ]);
    expect(error.message).toMatch(/^outer\.p\.moved: 2 types have the name, .* for example 6\.moved$/);
    expect(resolveMemberOf(spec, 3, [{ member: 'same' }]).rootId).toBe(6);
  });

  test('leads there with an index, too: p[0].same is p->same', () => {
    expect(resolveMember(spec, 'outer.p[0].same')).toMatchObject({ containerId: 6, bitOffset: 32 });
    // The definitions have 64 bytes.
    expect(resolveMember(spec, 'outer.p[2].same')).toMatchObject({ bitOffset: 2 * 512 + 32 });
    expect(resolveMember(spec, 'outer.p[0]')).toMatchObject({ bitOffset: 0, bitSize: 512, typeId: 6 });
    const { candidates } = failure(() => resolveMember(spec, 'outer.p[0].moved'));
    expect(candidates.map(({ path, member }) => [path, member?.bitOffset])).toEqual([
      ['6.moved', 0],
      ['7.moved', 64],
    ]);
  });

  test('is what an ambiguous path is about if the choices before it make no difference', () => {
    const twice = Spec.parse(btf.type(Kind.STRUCT, 'outer', fields(['p', 4, 64])).bytes());
    const error = failure(() => resolveMember(twice, 'outer.p.moved'));
    expect(error).toMatchObject({ problem: 'AMBIGUOUS', step: 1 });
    expect(error.candidates.map(({ path, member }) => [path, member?.bitOffset])).toEqual([
      ['6.moved', 0],
      ['7.moved', 64],
    ]);
    for (const { path, member } of error.candidates) {
      expect(resolveMember(twice, path).bitOffset).toBe(member?.bitOffset);
    }
  });

  test('ends in a bounded number of ways, however often it is crossed', () => {
    expect(resolveMember(spec, 'outer.p.p.p.p.same')).toMatchObject({ bitOffset: 32 });
    expect(failure(() => resolveMember(spec, `outer${'.p'.repeat(60)}.same`)).problem).toBe('AMBIGUOUS');
  });
});

test('split BTF and its base can have a name each', () => {
  const base = withInts().type(
    Kind.STRUCT,
    's',
    fields(['same', INT, 0], ['moved', INT, 0], ['ofBase', INT, 0]),
  );
  const split = new BtfAssembler('little', base.stringEnd).type(
    Kind.STRUCT,
    's',
    fields(['same', INT, 0], ['moved', INT, 32], ['own', INT, 0]),
  );
  const spec = Spec.parse(split.bytes(), { base: Spec.parse(base.bytes()) });
  expect(['same', 'ofBase', 'own'].map((name) => resolveMember(spec, `s.${name}`).rootId)).toEqual([3, 3, 4]);
  expect(failure(() => resolveMember(spec, 's.moved')).candidates.map(({ typeId }) => typeId)).toEqual([
    3, 4,
  ]);
});

describe('types of the same name in C are the same', () => {
  const pair = (first: TypeId, second: TypeId): string => {
    const spec = Spec.parse(
      types()
        .type(Kind.STRUCT, 's', fields(['m', first, 0]))
        .type(Kind.STRUCT, 's', fields(['m', second, 0]))
        .bytes(),
    );
    try {
      resolveMember(spec, 's.m');
      return 'same';
    } catch (error) {
      return error instanceof MemberPathError ? error.problem : String(error);
    }
  };
  const types = (): BtfAssembler =>
    withInts()
      .type(Kind.STRUCT, 'a', fields()) // 3
      .type(Kind.FWD, 'a') // 4
      .type(Kind.PTR, 0, { sizeOrTypeId: 3 }) // 5
      .type(Kind.PTR, 0, { sizeOrTypeId: 4 }) // 6
      .type(Kind.FWD, 'a', { kindFlag: true }) // 7
      .type(Kind.PTR, 0, { sizeOrTypeId: 7 }) // 8
      .type(Kind.STRUCT, 0, fields(['x', INT, 0])) // 9
      .type(Kind.STRUCT, 0, fields(['y', INT, 0])) // 10
      .type(Kind.ARRAY, 0, { data: [5, INT, 2] }) // 11
      .type(Kind.ARRAY, 0, { data: [6, INT, 2] }) // 12
      .type(Kind.ARRAY, 0, { data: [INT, INT, 4] }) // 13
      .type(Kind.FUNC_PROTO, 0, { vlen: 1, sizeOrTypeId: INT, data: ['p', 5] }) // 14
      .type(Kind.FUNC_PROTO, 0, { vlen: 1, sizeOrTypeId: INT, data: ['q', 6] }) // 15
      .type(Kind.FUNC_PROTO, 0, { vlen: 1, sizeOrTypeId: INT, data: ['q', 8] }) // 16
      .type(Kind.PTR, 0, { sizeOrTypeId: 14 }) // 17
      .type(Kind.PTR, 0, { sizeOrTypeId: 15 }) // 18
      .type(Kind.PTR, 0, { sizeOrTypeId: 16 }) // 19
      .type(Kind.TYPE_TAG, 'rcu', { sizeOrTypeId: 3 }) // 20
      .type(Kind.PTR, 0, { sizeOrTypeId: 20 }) // 21
      .type(Kind.PTR, 0, { sizeOrTypeId: 99 }); // 22

  test.each<[what: string, first: TypeId, second: TypeId, outcome: MemberProblem | 'same']>([
    ['a pointer to a struct, and one to its declaration', 5, 6, 'same'],
    ['a pointer to a struct, and one to a union', 5, 8, 'AMBIGUOUS'],
    ['a pointer with a tag, and one without', 5, 21, 'AMBIGUOUS'],
    ['anonymous structs of one size', 9, 10, 'same'],
    ['arrays of the same elements', 11, 12, 'same'],
    ['arrays of different elements', 11, 13, 'AMBIGUOUS'],
    ['pointers to functions with the same parameters', 17, 18, 'same'],
    ['pointers to functions with different parameters', 17, 19, 'AMBIGUOUS'],
    ['a pointer to a type that does not exist', 5, 22, 'UNREADABLE'],
  ])('%s', (_, first, second, outcome) => {
    expect([pair(first, second), pair(second, first)]).toEqual([outcome, outcome]);
  });
});

describe('a path that starts with the id of a type', () => {
  const spec = Spec.parse(
    withInts()
      .type(Kind.STRUCT, 's', fields(['m', INT, 32])) // 3
      .type(Kind.CONST, 0, { sizeOrTypeId: 3 }) // 4
      .type(Kind.PTR, 0, { sizeOrTypeId: 4 }) // 5
      .type(Kind.TYPEDEF, 'loop', { sizeOrTypeId: 6 }) // 6
      .bytes(),
  );

  test('starts in a type of any kind', () => {
    expect(resolveMember(spec, '3.m')).toMatchObject({ rootId: 3, bitOffset: 32 });
    expect(resolveMember(spec, 'struct 4->m')).toMatchObject({ rootId: 3, bitOffset: 32 });
    expect(resolveMember(spec, '5[1].m')).toMatchObject({ rootId: 5, bitOffset: 512 + 32 });
    expect(resolveMember(spec, '1')).toMatchObject({ rootId: 1, bitSize: 32 });
  });

  test.each<[path: string, problem: MemberProblem, code: string, message: string]>([
    ['7.m', 'NO_SUCH_TYPE', 'NOT_FOUND', 'no type with id 7: the largest id is 6'],
    ['99999999999.m', 'NO_SUCH_TYPE', 'NOT_FOUND', 'no type with id 99999999999: the largest id is 6'],
    ['union 3.m', 'NO_SUCH_TYPE', 'NOT_FOUND', '3: this type is not a union: struct s'],
    ['3.none', 'NO_SUCH_MEMBER', 'NOT_FOUND', '3.none: struct s has no such member'],
    ['1.n', 'NOT_A_STRUCT', 'INVALID_ARGUMENT', '1.n: INT int has no members'],
    ['0.n', 'NOT_A_STRUCT', 'INVALID_ARGUMENT', '0.n: VOID has no members'],
    ['0', 'NOT_A_STRUCT', 'INVALID_ARGUMENT', '0: VOID has no size (type id 0)'],
    ['6.n', 'UNREADABLE', 'MALFORMED', '6: type refers to itself in a loop (type id 6)'],
    ['3s.n', 'NO_SUCH_TYPE', 'NOT_FOUND', '3s: no struct, union or typedef of this name'],
    [
      '3..n',
      'BAD_PATH',
      'INVALID_ARGUMENT',
      'invalid path "3..n": expected .member or [index] at character 2',
    ],
    [
      'int.n',
      'NOT_A_STRUCT',
      'INVALID_ARGUMENT',
      'int: no struct, union or typedef of this name is defined here, only INT int (type id 1)',
    ],
  ])('says why %s has no result', (path, problem, code, message) => {
    expect(failure(() => resolveMember(spec, path))).toMatchObject({ problem, code, message });
  });
});
