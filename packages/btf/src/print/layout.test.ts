import { describe, expect, test } from '@jest/globals';
import { BtfFormatError } from '../format-error.js';
import { resolveMember } from '../query/resolve-member.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { readErrorOf } from '../testing/read-error-of.js';
import { Kind } from '../types.js';
import { formatLayout } from './layout-text.js';
import { layoutOf } from './layout.js';
import { declarationOf, formatTypeName } from './type-name.js';

const INT = { sizeOrTypeId: 4, data: [(1 << 24) | 32] };
const CHAR = { sizeOrTypeId: 1, data: [(1 << 24) | 8] };

/** struct s { char c; const struct { int a:3; int b; } in; char d[3]; } with two bytes of padding. */
const spec = Spec.parse(
  new BtfAssembler('little')
    .type(Kind.INT, 'int', INT) // 1
    .type(Kind.INT, 'char', CHAR) // 2
    .type(Kind.STRUCT, '', { vlen: 2, kindFlag: true, sizeOrTypeId: 8, data: ['a', 1, 3 << 24, 'b', 1, 32] }) // 3
    .type(Kind.CONST, '', { sizeOrTypeId: 3 }) // 4
    .type(Kind.ARRAY, '', { data: [2, 1, 3] }) // 5
    .type(Kind.STRUCT, 's', { vlen: 3, sizeOrTypeId: 17, data: ['c', 2, 0, 'in', 4, 32, 'd', 5, 96] }) // 6
    .type(Kind.PTR, '', { sizeOrTypeId: 6 }) // 7
    .type(Kind.TYPEDEF, 's_t', { sizeOrTypeId: 6 }) // 8
    .type(Kind.FUNC_PROTO, '', { vlen: 3, sizeOrTypeId: 0, data: ['to', 7, 'n', 1, 0, 0] }) // 9
    .type(Kind.FUNC, 'fn', { sizeOrTypeId: 9 }) // 10
    .type(Kind.PTR, '', { sizeOrTypeId: 9 }) // 11
    .type(Kind.ARRAY, '', { data: [11, 1, 2] }) // 12
    .type(Kind.ARRAY, '', { data: [5, 1, 4] }) // 13
    .type(Kind.VAR, 'table', { sizeOrTypeId: 12, data: [1] }) // 14
    .type(Kind.PTR, '', { sizeOrTypeId: 4 }) // 15
    .type(Kind.STRUCT, 'holder', { vlen: 1, sizeOrTypeId: 4, data: ['later', 17, 0] }) // 16
    .type(Kind.FWD, 'absent') // 17
    .type(Kind.UNION, '', { vlen: 2, sizeOrTypeId: 4, data: ['', 19, 0, '', 19, 0] }) // 18
    .type(Kind.UNION, '', { vlen: 2, sizeOrTypeId: 4, data: ['', 18, 0, '', 18, 0] }) // 19
    .type(Kind.STRUCT, 'late', {
      vlen: 2,
      kindFlag: true,
      sizeOrTypeId: 4,
      data: ['c', 2, 0, 'a', 2, (1 << 24) | 18],
    }) // 20
    .type(Kind.STRUCT, 'own', { vlen: 1, sizeOrTypeId: 4, data: ['in', 22, 0] }) // 21
    .type(Kind.ARRAY, '', { data: [21, 1, 1] }) // 22
    .type(Kind.STRUCT, 'outer', { vlen: 1, sizeOrTypeId: 4, data: ['own', 21, 0] }) // 23
    .bytes(),
);

describe('layoutOf', () => {
  test('returns members, with those of anonymous types in place, holes in bytes and bits, and padding', () => {
    expect(layoutOf(spec, 6)).toMatchObject({
      keyword: 'struct',
      name: 's',
      size: 17,
      memberCount: 3,
      rows: [
        { row: 'member', depth: 1, name: 'c', type: 'char', declaration: 'char c', offset: 0, size: 1 },
        { row: 'hole', depth: 1, offset: 1, bytes: 3, bits: 0 },
        { row: 'open', depth: 1, type: 'const struct', typeId: 4, offset: 4, size: 8 },
        { row: 'member', depth: 2, name: 'a', offset: 4, size: 4, bitOffset: 0, bitfieldSize: 3 },
        { row: 'hole', depth: 2, offset: 4, bytes: 0, bits: 29 },
        { row: 'member', depth: 2, name: 'b', offset: 8, size: 4, bitOffset: 0, bitfieldSize: 0 },
        { row: 'close', depth: 1, name: 'in', offset: 4, size: 8 },
        {
          row: 'member',
          depth: 1,
          name: 'd',
          type: 'char[3]',
          declaration: 'char d[3]',
          offset: 12,
          size: 3,
        },
        { row: 'padding', depth: 1, offset: 15, bytes: 2, bits: 0 },
      ],
      memberBytes: 12,
      holes: 1,
      holeBytes: 3,
      padding: 2,
    });
  });

  test('returns a hole of bytes and bits before a bitfield that starts late', () => {
    const { rows, paddingBits, padding } = layoutOf(spec, 20);
    expect(rows[1]).toEqual({ row: 'hole', depth: 1, offset: 1, bytes: 1, bits: 2 });
    expect({ paddingBits, padding }).toEqual({ paddingBits: 5, padding: 1 });
  });

  test('returns the layout of the struct for a typedef', () => {
    expect(layoutOf(spec, 8)).toEqual(layoutOf(spec, 6));
  });

  test('gives formatLayout places, holes and totals', () => {
    expect(formatLayout(layoutOf(spec, 6)).split('\n')).toEqual([
      'struct s {',
      '\tchar                       c;                    /*     0     1 */',
      '',
      '\t/* XXX 3 bytes hole, try to pack */',
      '',
      '\tconst struct {',
      '\t\tint          a:3;                  /*     4: 0  4 */',
      '',
      '\t\t/* XXX 29 bits hole, try to pack */',
      '',
      '\t\tint          b;                    /*     8     4 */',
      '\t} in;                                            /*     4     8 */',
      '\tchar                       d[3];                 /*    12     3 */',
      '',
      '\t/* size: 17, cachelines: 1, members: 3 */',
      '\t/* sum members: 12, holes: 1, sum holes: 3 */',
      '\t/* padding: 2 */',
      '\t/* last cacheline: 17 bytes */',
      '};',
      '',
    ]);
  });

  test('has the offset and the width of bitfields that are an INT, as before Linux 4.20', () => {
    const btf = new BtfAssembler('little')
      .type(Kind.INT, 'int', INT) // 1
      .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [5] }) // 2: 5 bits
      .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [(3 << 16) | 7] }) // 3: 7 bits, from bit 3
      .type(Kind.TYPEDEF, 'seven', { sizeOrTypeId: 3 }) // 4
      .type(Kind.STRUCT, 's', { vlen: 3, sizeOrTypeId: 8, data: ['a', 1, 0, 'b', 2, 32, 'c', 4, 37] }); // 5
    const old = Spec.parse(btf.bytes());
    const layout = layoutOf(old, 5);
    expect(layout).toMatchObject({ memberBytes: 4, bitfieldBits: 12, holeBits: 3, paddingBits: 17 });
    expect(resolveMember(old, 's.c')).toMatchObject({ bitOffset: 40, bitSize: 7, bitfield: true });
    expect(formatLayout(layout).split('\n').slice(1, 8)).toEqual([
      '\tint                        a;                    /*     0     4 */',
      '\tint                        b:5;                  /*     4: 0  4 */',
      '',
      '\t/* XXX 3 bits hole, try to pack */',
      '\tseven                      :3;',
      '',
      '\tseven                      c:7;                  /*     4: 8  4 */',
    ]);
  });

  test('is the same after the layout of another type failed, because it nests too deep', () => {
    const packed = new BtfAssembler('little').type(Kind.INT, 'int', INT).type(Kind.INT, 'char', CHAR);
    packed.type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 4, data: ['i', 1, 0] }); // 3
    for (let id = 4; id < 700; id++) {
      packed.type(Kind.STRUCT, 's', { vlen: 2, sizeOrTypeId: id + 1, data: ['c', 2, 0, 's', id - 1, 8] });
    }
    const bytes = packed.bytes();
    const textOf = (deep: Spec, id: number): string => formatLayout(layoutOf(deep, id));
    const deep = Spec.parse(bytes);
    expect(() => textOf(deep, 699)).toThrow(BtfFormatError);
    expect(textOf(deep, 300)).toBe(textOf(Spec.parse(bytes), 300));
    expect(textOf(deep, 300)).toContain('} __attribute__((__packed__));');
  });

  test('reports padding within members, and members that only an attribute can have moved', () => {
    const moved = Spec.parse(
      new BtfAssembler('little')
        .type(Kind.INT, 'int', INT) // 1
        .type(Kind.INT, 'char', CHAR) // 2
        .type(Kind.STRUCT, 'padded', { vlen: 2, sizeOrTypeId: 8, data: ['i', 1, 0, 'c', 2, 32] }) // 3
        .type(Kind.TYPEDEF, 'padded_t', { sizeOrTypeId: 3 }) // 4
        .type(Kind.STRUCT, 'empty', { sizeOrTypeId: 0 }) // 5
        .type(Kind.STRUCT, 's', {
          vlen: 6,
          sizeOrTypeId: 256,
          // Byte 4 is natural, 64 and 128 are not. The room before an empty member counts also as that of the next.
          data: ['c', 2, 0, 'p', 3, 32, 't', 4, 96, 'far', 1, 512, 'e', 5, 1024, 'next', 3, 1024],
        }) // 6
        .bytes(),
    );
    const layout = layoutOf(moved, 6);
    expect(layout).toMatchObject({
      innerPaddings: 2,
      innerPaddingBytes: 6,
      forcedAlignments: 3,
      forcedHoles: 2,
      forcedHoleBytes: 104,
    });
    const paddings = layout.rows.map((row) => (row.row === 'member' ? row.innerPadding : null));
    expect(paddings).toEqual([0, null, 3, 0, null, 0, null, 0, 3, null]);
    expect(formatLayout(layout).split('\n').slice(3, 9)).toEqual([
      '\t/* XXX 3 bytes hole, try to pack */',
      '',
      '\tstruct padded              p;                    /*     4     8 */',
      '',
      '\t/* XXX last struct has 3 bytes of padding */',
      '',
    ]);
    expect(formatLayout(layout).split('\n').slice(-7)).toEqual([
      '\t/* size: 256, cachelines: 4, members: 6 */',
      '\t/* sum members: 29, holes: 3, sum holes: 107 */',
      '\t/* padding: 120 */',
      '\t/* paddings: 2, sum paddings: 6 */',
      '\t/* forced alignments: 3, forced holes: 2, sum forced holes: 104 */',
      '} __attribute__((__aligned__(128)));',
      '',
    ]);
  });

  test.each([
    ['neither a struct nor a union', 1, 'INVALID_ARGUMENT'],
    ['a member without a size', 16, 'INVALID_ARGUMENT'],
    ['an id that no type has', 99, 'NOT_FOUND'],
    ['unions that contain each other', 18, 'MALFORMED'],
    ['a struct with a name that contains itself', 21, 'MALFORMED'],
    ['a struct with a member that contains itself', 23, 'MALFORMED'],
  ])('refuses %s', (_, id, code) => {
    const name = code === 'NOT_FOUND' ? 'BtfLookupError' : 'BtfFormatError';
    expect(readErrorOf(() => layoutOf(spec, id))).toMatchObject({ name, code });
  });

  test('rejects anonymous types that nest deeper than the kernel allows', () => {
    const nested = new BtfAssembler('little').type(Kind.INT, 'int', INT);
    for (let id = 2; id < 40; id++) {
      nested.type(Kind.STRUCT, '', { vlen: 1, sizeOrTypeId: 4, data: ['', id - 1, 0] });
    }
    const deep = Spec.parse(nested.bytes());
    expect(layoutOf(deep, 33).rows).toHaveLength(63);
    expect(() => layoutOf(deep, 34)).toThrow('anonymous types nest deeper than 32 levels');
  });

  test('rejects more rows than its limit', () => {
    expect(layoutOf(spec, 6, { maxRows: 9 }).rows).toHaveLength(9);
    expect(() => layoutOf(spec, 6, { maxRows: 8 })).toThrow('the layout exceeds the limit of 8 rows');
  });
});

describe('names of types', () => {
  test.each([
    [0, 'void'],
    [2, 'char'],
    [3, 'struct { ... }'],
    [5, 'char[3]'],
    [7, 'struct s *'],
    [8, 's_t'],
    [10, 'void(struct s *to, int n, ...)'],
    [11, 'void (*)(struct s *to, int n, ...)'],
    [12, 'void (*[2])(struct s *to, int n, ...)'],
    [13, 'char[4][3]'],
    [15, 'const struct { ... } *'],
    [17, 'struct absent'],
  ])('of type %i is %s', (id, name) => {
    expect(formatTypeName(spec, id)).toBe(name);
  });

  test.each([
    [8, 'typedef struct s s_t'],
    [10, 'void fn(struct s *to, int n, ...)'],
    [14, 'void (*table[2])(struct s *to, int n, ...)'],
    [7, 'struct s *'],
  ])('as declaration of type %i is %s', (id, declaration) => {
    expect(declarationOf(spec, id)).toBe(declaration);
  });
});
