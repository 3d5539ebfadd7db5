import { describe, expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind } from '../types.js';
import { MemberPathError } from './member-error.js';
import { formatMemberPath, parseMemberPath } from './member-path.js';
import { resolveMember, resolveMemberOf } from './resolve-member.js';

const INT = 1;
const btf = new BtfAssembler('little')
  .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] }) // 1
  .type(Kind.STRUCT, 'node', {
    vlen: 5,
    sizeOrTypeId: 32,
    data: ['next', 3, 0, 'value', INT, 64, '', 4, 96, 'opaque', 6, 128, 'twice', 9, 192],
  }) // 2
  .type(Kind.PTR, 0, { sizeOrTypeId: 5 }) // 3
  .type(Kind.UNION, 0, { vlen: 2, sizeOrTypeId: 4, data: ['left', INT, 0, 'bits', 8, 0] }) // 4
  .type(Kind.TYPE_TAG, 'rcu', { sizeOrTypeId: 2 }) // 5
  .type(Kind.PTR, 0, { sizeOrTypeId: 7 }) // 6
  .type(Kind.FWD, 'hidden') // 7
  .type(Kind.INT, 'old bitfield', { sizeOrTypeId: 4, data: [(5 << 16) | 3] }) // 8
  .type(Kind.PTR, 0, { sizeOrTypeId: 3 }) // 9
  .type(Kind.TYPEDEF, 'node', { sizeOrTypeId: 2 }) // 10
  .type(Kind.STRUCT, 'twin', { vlen: 1, sizeOrTypeId: 4, data: ['a', INT, 0] }) // 11
  .type(Kind.UNION, 'twin', { vlen: 1, sizeOrTypeId: 8, data: ['b', INT, 0] }) // 12
  .type(Kind.ARRAY, 0, { data: [INT, INT, 7] }) // 13
  .type(Kind.TYPEDEF, 'row', { sizeOrTypeId: 13 }) // 14
  .type(Kind.PTR, 0, { sizeOrTypeId: 0 }) // 15
  .type(Kind.STRUCT, 'holder', { vlen: 2, sizeOrTypeId: 16, data: ['any', 15, 0, 'gone', 99, 64] }); // 16
const spec = Spec.parse(btf.bytes());

describe('resolveMember', () => {
  test('reports its looks, ends if that throws, and suggests names only if it may', () => {
    let looks = 0;
    resolveMember(spec, 'node.next.next.left', { onLooks: (more) => (looks += more) });
    // The two types of the name, a tag at each pointer, the five members of each node, and two of the anonymous union.
    expect(looks).toBe(2 + 2 * (5 + 1) + 5 + 2);
    const stop = new Error('enough');
    const onLooks = (): void => {
      throw stop;
    };
    expect(() => resolveMember(spec, 'node.value', { onLooks })).toThrow(stop);
    for (const path of ['node.valu', 'nod.value']) {
      expect(() => resolveMember(spec, path)).toThrow('did you mean');
      expect(() => resolveMember(spec, path, { suggest: false })).toThrow(/no such member$|of this name$/);
    }
  });

  test('counts from the target of each pointer, and lists the pointers on the way', () => {
    expect(resolveMember(spec, 'node.next.next.left')).toMatchObject({
      rootId: 2,
      containerId: 2,
      bitOffset: 96,
      bitSize: 32,
      typeId: INT,
      dereferences: [
        { containerId: 2, bitOffset: 0, bitSize: 64, typeId: 3, targetId: 5, tags: ['rcu'] },
        { containerId: 2, bitOffset: 0, bitSize: 64, typeId: 3, targetId: 5, tags: ['rcu'] },
      ],
      steps: [
        { name: 'next', dereferences: 0, indices: [0] },
        { name: 'next', dereferences: 1, indices: [0] },
        { name: 'left', dereferences: 2, indices: [2, 0] },
      ],
    });
  });

  test('reads a bitfield without the kind flag from its INT', () => {
    expect(resolveMember(spec, 'node.bits')).toMatchObject({ bitOffset: 101, bitSize: 3, bitfield: true });
  });

  test('reads an index on a pointer as an element of its target', () => {
    expect(resolveMember(spec, 'node.next[2].value')).toMatchObject({
      containerId: 2,
      bitOffset: 2 * 256 + 64,
    });
    expect(resolveMember(spec, 'node.twice[0]->value')).toMatchObject({
      bitOffset: 64,
      dereferences: [{ bitOffset: 192 }, { containerId: 3, bitOffset: 0, targetId: 5 }],
    });
  });

  test('starts in a typedef of any type, and returns the whole type for a path without steps', () => {
    expect(resolveMember(spec, 'row[6]')).toMatchObject({ rootId: 13, bitOffset: 192, bitSize: 32 });
    expect(resolveMember(spec, 'node')).toMatchObject({ rootId: 2, bitOffset: 0, bitSize: 256, steps: [] });
  });

  test('chooses between a struct and a union of one name by the keyword before it', () => {
    expect(resolveMember(spec, 'struct twin.a').rootId).toBe(11);
    expect(resolveMember(spec, 'union  twin.b').rootId).toBe(12);
    expect(resolveMemberOf(spec, 12, [{ member: 'b' }]).rootId).toBe(12);
  });

  test.each<[path: string, step: number, code: string, message: string]>([
    ['gone.x', -1, 'NOT_FOUND', 'gone: no struct, union or typedef of this name'],
    ['nodes.x', -1, 'NOT_FOUND', 'nodes: no struct, union or typedef of this name; did you mean "node"?'],
    [
      'union node.x',
      -1,
      'NOT_FOUND',
      'node: no union of this name is defined here, only struct node (type id 2)',
    ],
    [
      'node.next.vlaue',
      1,
      'NOT_FOUND',
      'node.next.vlaue: struct node has no such member; did you mean "value"?',
    ],
    ['node.zzz', 0, 'NOT_FOUND', 'node.zzz: struct node has no such member'],
    ['node.value.x', 1, 'INVALID_ARGUMENT', 'node.value.x: INT int has no members'],
    ['node[0]', 0, 'INVALID_ARGUMENT', 'node[0]: struct node has no elements'],
    [
      'node.opaque.x',
      1,
      'INVALID_ARGUMENT',
      'node.opaque.x: FWD hidden has no members: it is declared, but not defined here',
    ],
    [
      'node.twice.x',
      1,
      'INVALID_ARGUMENT',
      'node.twice.x: PTR has no members: it is a pointer itself, give an index',
    ],
    ['row.x', 0, 'INVALID_ARGUMENT', 'row.x: ARRAY has no members: give an index'],
    ['row[7]', 0, 'NOT_FOUND', 'row[7]: the array has 7 elements'],
    ['holder.any[0]', 1, 'INVALID_ARGUMENT', 'holder.any[0]: VOID has no size (type id 0)'],
    ['holder.gone', 0, 'NOT_FOUND', 'holder.gone: no type with id 99: the largest id is 16'],
  ])('says where %s fails', (path, step, code, message) => {
    const run = (): unknown => resolveMember(spec, path);
    expect(run).toThrow(MemberPathError);
    expect(run).toThrow(expect.objectContaining({ step, code, message }));
  });

  test('follows a declaration to the only definition of its name', () => {
    const split = new BtfAssembler('little', btf.stringEnd).type(Kind.STRUCT, 'hidden', {
      vlen: 1,
      sizeOrTypeId: 4,
      data: ['seen', INT, 0],
    });
    const whole = Spec.parse(split.bytes(), { base: spec });
    expect(resolveMember(whole, 'node.opaque.seen')).toMatchObject({ containerId: 17, bitSize: 32 });
  });

  test('ends quickly in anonymous unions nested 60 deep, each twice in the one around it', () => {
    const nest = new BtfAssembler('little');
    for (let id = 1; id <= 60; id++) {
      const name = id === 1 ? 'nest' : 0;
      nest.type(Kind.UNION, name, { vlen: 2, sizeOrTypeId: 4, data: [0, id + 1, 0, 0, id + 1, 0] });
    }
    const deep = nest.type(Kind.UNION, 0, { vlen: 1, sizeOrTypeId: 4, data: ['found', 62, 0] });
    const parsed = Spec.parse(deep.type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] }).bytes());
    expect(resolveMember(parsed, 'nest.found').steps[0]?.indices).toHaveLength(61);
    expect(() => resolveMember(parsed, 'nest.lost')).toThrow('no such member');
  });
});

/** A struct with many members of one name inside `depth` nested anonymous structs. */
function deepStruct(depth: number): Spec {
  const nest = new BtfAssembler('little');
  for (let id = 1; id < depth; id++) {
    nest.type(Kind.STRUCT, id === 1 ? 'deep' : 0, { vlen: 1, sizeOrTypeId: 4, data: [0, id + 1, 0] });
  }
  nest.string('m');
  const name = nest.stringEnd - 2;
  const data = Array.from({ length: 20_000 }, () => [name, depth + 1, 0]).flat();
  nest.type(Kind.STRUCT, 0, { vlen: 20_000, sizeOrTypeId: 4, data });
  return Spec.parse(nest.type(Kind.INT, 0, { sizeOrTypeId: 4, data: [32] }).bytes());
}

test('ends quickly for many deeply nested members', () => {
  const parsed = deepStruct(512);
  expect(() => resolveMember(parsed, 'deep.none')).toThrow('no such member');
  expect(resolveMember(parsed, 'deep.m').steps[0]?.indices).toHaveLength(512);
});

test('follows at most 512 nested anonymous members', () => {
  expect(() => resolveMember(deepStruct(20_000), 'deep.m')).toThrow('nest deeper than 512 levels');
});

test.each<[path: string, parsed: unknown]>([
  ['a', { kind: null, root: 'a', steps: [] }],
  ['struct a.b', { kind: 'STRUCT', root: 'a', steps: [{ member: 'b' }] }],
  [
    'union a->b[12].c',
    { kind: 'UNION', root: 'a', steps: [{ member: 'b' }, { index: 12 }, { member: 'c' }] },
  ],
  ['structure.b', { kind: null, root: 'structure', steps: [{ member: 'b' }] }],
  ['a-b.c>d', { kind: null, root: 'a-b', steps: [{ member: 'c>d' }] }],
  ['Option<u8>[0]', { kind: null, root: 'Option<u8>', steps: [{ index: 0 }] }],
  ['114.pid', { kind: null, root: '114', steps: [{ member: 'pid' }] }],
])('the path %s is understood', (path, parsed) => {
  expect(parseMemberPath(path)).toEqual(parsed);
  expect(formatMemberPath(parseMemberPath(path))).toBe(path.replace('->', '.'));
});

test.each([
  '',
  '.a',
  'struct .a',
  'a.',
  'a..b',
  'a[',
  'a[]',
  'a[-1]',
  'a[x]',
  'a b',
  'a.b c',
  'a]',
  'a->',
  '[1]',
])('"%s" is not a path', (path) => {
  expect(() => parseMemberPath(path)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

test('a path of more than 64 steps is rejected', () => {
  expect(parseMemberPath(`a${'.b'.repeat(64)}`).steps).toHaveLength(64);
  for (const path of [`a${'.b'.repeat(65)}`, 'a'.repeat(9000)]) {
    expect(() => parseMemberPath(path)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  }
  const steps = Array.from({ length: 65 }, () => ({ index: 0 }));
  expect(() => resolveMemberOf(spec, 14, steps)).toThrow('more than 64 steps');
});
