import { describe, expect, test } from '@jest/globals';
import { Spec } from '../../spec.js';
import { assembleAllKinds } from '../../testing/all-kinds.js';
import { BtfAssembler } from '../../testing/assemble-btf.js';
import { Kind } from '../../types.js';
import { merge } from '../merge.js';
import { dedup } from './dedup.js';

type Write = (btf: BtfAssembler) => void;

/** The BTF of several compilation units, one after the other. Ids in each count from 1. */
function units(...writes: Write[]): Spec {
  const specs = writes.map((write) => {
    const btf = new BtfAssembler('little');
    write(btf);
    return Spec.parse(btf.bytes());
  });
  return Spec.parse(merge(specs).bytes);
}

/** A line for each type that stays: its kind, its name, and the ids that it refers to. */
function lines(spec: Spec): string[] {
  return [...Spec.parse(dedup(spec).bytes)].map((type) => {
    const ids: number[] = [];
    if ('typeId' in type) ids.push(type.typeId);
    if ('members' in type) ids.push(...type.members.map(({ typeId }) => typeId));
    if (type.kind === 'FUNC_PROTO') ids.push(type.returnTypeId, ...type.params.map(({ typeId }) => typeId));
    if (type.kind === 'DATASEC') ids.push(...type.vars.map(({ typeId }) => typeId));
    return [type.kind, type.name, ...ids].join(' ');
  });
}

function struct(btf: BtfAssembler, name: string, ...members: [name: string, typeId: number][]): void {
  const data = members.flatMap(([member, typeId], i) => [member, typeId, i * 64]);
  btf.type(Kind.STRUCT, name, { vlen: members.length, sizeOrTypeId: members.length * 8, data });
}

const int: Write = (btf) => btf.type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] });
const pointer = (btf: BtfAssembler, typeId: number): BtfAssembler =>
  btf.type(Kind.PTR, '', { sizeOrTypeId: typeId });

/**
 * A struct `top` that leads to chains of structs, each of which leads back to it. One kernel has such a chain once, and
 * another twice.
 *
 * @param chains for each chain the number of members of its last struct.
 * @param members for each member of `top` the chain that it points to.
 */
function loops(length: number, chains: readonly number[], members: readonly number[]): Write {
  return (btf) => {
    int(btf);
    const first = (chain: number): number => 3 + chain * length * 2;
    const end = first(chains.length);
    const pointers = members.map((chain, i): [string, number] => [`m${i}`, first(chain + 1) - 2]);
    struct(btf, 'top', ...pointers);
    for (const [chain, count] of chains.entries()) {
      for (let i = 0; i < length; i++) {
        const id = first(chain) + i * 2;
        const next: [string, number] = ['next', i === 0 ? end : id - 2];
        struct(pointer(btf, id + 1), `s${i}`, ...Array.from({ length: i === 0 ? count : 1 }, () => next));
      }
    }
    pointer(btf, 2);
  };
}

describe('dedup', () => {
  test.each(['little', 'big'] as const)(
    'keeps one type of each kind that comes twice, %s-endian',
    (order) => {
      const all = Spec.parse(assembleAllKinds(order).bytes());
      const { bytes, ids } = dedup(Spec.parse(merge([all, all]).bytes));
      const left = Spec.parse(bytes);
      // 21 is a VAR and 22 a DATASEC, which all stay.
      expect(left.byteOrder).toBe(order);
      expect([...left].slice(0, 29)).toEqual([...all]);
      expect([...left].slice(29)).toMatchObject([
        { kind: 'VAR', typeId: 1 },
        { kind: 'DATASEC', vars: [{ typeId: 30 }] },
      ]);
      for (let id = 1; id <= 29; id++) {
        expect([ids[id], ids[id + 29]]).toEqual([id, id === 21 ? 30 : id === 22 ? 31 : id]);
      }
    },
  );

  test('drops unused strings and repeats none', () => {
    const btf = new BtfAssembler('little');
    btf.string('unused');
    btf.type(Kind.FLOAT, 'f', { sizeOrTypeId: 4 }).type(Kind.FLOAT, 'f', { sizeOrTypeId: 8 });
    const expected = new BtfAssembler('little');
    const name = expected.string('f');
    expected.type(Kind.FLOAT, name, { sizeOrTypeId: 4 }).type(Kind.FLOAT, name, { sizeOrTypeId: 8 });
    expect(dedup(Spec.parse(btf.bytes())).bytes).toEqual(expected.bytes());
  });

  // The example in the comment on btf__dedup in libbpf.
  test('merges units that know different structs only as forward declarations', () => {
    const spec = units(
      (btf) => {
        int(btf); // 1
        struct(btf, 'S', ['a_ptr', 3], ['b_ptr', 4]); // 2
        pointer(btf, 6); // 3
        pointer(btf, 5); // 4
        btf.type(Kind.FWD, 'B'); // 5
        struct(btf, 'A', ['a', 1], ['self', 3], ['parent', 7]); // 6
        pointer(btf, 2); // 7
      },
      (btf) => {
        int(btf); // 1
        struct(btf, 'S', ['a_ptr', 3], ['b_ptr', 4]); // 2
        pointer(btf, 5); // 3
        pointer(btf, 6); // 4
        btf.type(Kind.FWD, 'A'); // 5
        struct(btf, 'B', ['b', 1], ['self', 4], ['parent', 7]); // 6
        pointer(btf, 2); // 7
      },
    );
    expect(lines(spec)).toEqual([
      'INT int',
      'STRUCT S 3 4',
      'PTR  5',
      'PTR  7',
      'STRUCT A 1 3 6',
      'PTR  2',
      'STRUCT B 1 4 6',
    ]);
  });

  test('keeps both structs of one name and shape if they lead to different types', () => {
    const unit =
      (kind: number): Write =>
      (btf) => {
        btf.type(kind, 'x', { sizeOrTypeId: 4, ...(kind === Kind.INT ? { data: [32] } : {}) });
        struct(btf, 's', ['p', 3]);
        pointer(btf, 1);
      };
    expect(lines(units(unit(Kind.INT), unit(Kind.FLOAT), unit(Kind.INT)))).toEqual([
      'INT x',
      'STRUCT s 3',
      'PTR  1',
      'FLOAT x',
      'STRUCT s 6',
      'PTR  4',
    ]);
  });

  test('resolves a FWD that no struct leads to if only one struct has its name', () => {
    const declared: Write = (btf) => pointer(btf.type(Kind.FWD, 'foo'), 1);
    const declaredUnion: Write = (btf) => pointer(btf.type(Kind.FWD, 'foo', { kindFlag: true }), 1);
    const defined =
      (member: string): Write =>
      (btf) => {
        int(btf);
        struct(btf, 'foo', [member, 1]);
        pointer(btf, 2);
      };
    expect(lines(units(declared, defined('u')))).toEqual(['PTR  3', 'INT int', 'STRUCT foo 2']);
    expect(lines(units(declaredUnion, defined('u')))).toHaveLength(5);
    expect(lines(units(declared, defined('u'), defined('v')))).toHaveLength(7);
  });

  test('resolves an enum without values to the full one of its name, for both kinds, in both orders', () => {
    const forward: Write = (btf) => pointer(btf.type(Kind.ENUM, 'e', { sizeOrTypeId: 4 }), 1);
    const full: Write = (btf) =>
      pointer(btf.type(Kind.ENUM, 'e', { vlen: 1, sizeOrTypeId: 4, data: ['A', 1] }), 1);
    const full64: Write = (btf) =>
      pointer(btf.type(Kind.ENUM64, 'e', { vlen: 1, sizeOrTypeId: 8, data: ['A', 1, 1] }), 1);
    for (const [spec, kind] of [
      [units(forward, full), 'ENUM'],
      [units(full, forward, forward), 'ENUM'],
      [units(forward, full64), 'ENUM64'],
    ] as const) {
      expect(lines(spec).toSorted()).toEqual([`${kind} e`, expect.stringMatching(/^PTR {2}[12]$/)]);
    }
    expect(lines(units(full, full64))).toHaveLength(4);
  });

  test('finds structs equal that lead to an enum with values and to one without', () => {
    const unit =
      (kind: number, data: (string | number)[]): Write =>
      (btf) => {
        btf.type(kind, 'e', { vlen: data.length === 0 ? 0 : 1, sizeOrTypeId: 4, data });
        struct(pointer(btf, 1), 's', ['p', 2]);
      };
    const forward = unit(Kind.ENUM, []);
    for (const [kind, data] of [
      [Kind.ENUM, ['A', 1]],
      [Kind.ENUM64, ['A', 1, 1]],
    ] as const) {
      const full = unit(kind, [...data]);
      const left = [expect.stringMatching(/^ENUM(64)? e$/), 'PTR  1', 'STRUCT s 2'];
      expect(lines(units(full, forward))).toEqual(left);
      expect(lines(units(forward, full))).toHaveLength(3);
    }
  });

  test('keeps anonymous enums without values separate from others', () => {
    const empty: Write = (btf) => btf.type(Kind.ENUM, '', { sizeOrTypeId: 4 });
    const full: Write = (btf) => btf.type(Kind.ENUM, '', { vlen: 1, sizeOrTypeId: 4, data: ['A', 1] });
    expect(lines(units(empty, full, empty))).toEqual(['ENUM ', 'ENUM ']);
  });

  test('finds equal typedefs that lead to themselves, as those of Go do', () => {
    const unit: Write = (btf) => {
      btf.type(Kind.TYPEDEF, 'self', { sizeOrTypeId: 2 });
      pointer(btf, 1);
    };
    expect(lines(units(unit, unit))).toEqual(['TYPEDEF self 2', 'PTR  1']);
  });

  test('finds equal structs even if a compiler repeated arrays and pointers within one of them', () => {
    const repeated: Write = (btf) => {
      int(btf); // 1
      btf.type(Kind.ARRAY, '', { data: [1, 1, 4] }); // 2
      btf.type(Kind.ARRAY, '', { data: [1, 1, 4] }); // 3
      struct(btf, 's', ['a', 2], ['b', 3]); // 4
    };
    const once: Write = (btf) => {
      int(btf); // 1
      btf.type(Kind.ARRAY, '', { data: [1, 1, 4] }); // 2
      struct(btf, 's', ['a', 2], ['b', 2]); // 3
    };
    expect(lines(units(once, repeated))).toEqual(['INT int', 'ARRAY  1', 'STRUCT s 2 2']);
  });

  test('distinguishes arrays of different elements within one struct', () => {
    const unit =
      (second: number): Write =>
      (btf) => {
        int(btf); // 1
        btf.type(Kind.FLOAT, 'float', { sizeOrTypeId: 4 }); // 2
        btf.type(Kind.ARRAY, '', { data: [1, 1, 4] }); // 3
        btf.type(Kind.ARRAY, '', { data: [second, 1, 4] }); // 4
        struct(btf, 's', ['a', 3], ['b', second === 1 ? 3 : 4]); // 5
      };
    expect(lines(units(unit(1), unit(2))).filter((line) => line.startsWith('STRUCT'))).toHaveLength(2);
  });

  test('keeps FUNCs of different linkage, and DECL_TAGs of different places', () => {
    const unit =
      (linkage: number, component: number): Write =>
      (btf) => {
        btf.type(Kind.FUNC_PROTO, '', { vlen: 1, data: ['p', 0] });
        btf.type(Kind.FUNC, 'f', { vlen: linkage, sizeOrTypeId: 1 });
        btf.type(Kind.DECL_TAG, 'tag', { sizeOrTypeId: 2, data: [component] });
      };
    expect(lines(units(unit(1, -1), unit(1, -1)))).toHaveLength(3);
    expect(lines(units(unit(1, -1), unit(1, 0)))).toHaveLength(4);
    expect(lines(units(unit(1, -1), unit(0, -1)))).toHaveLength(5);
  });

  test('drops types of split BTF that the base has, and does not change the base', () => {
    const baseBtf = new BtfAssembler('little');
    int(baseBtf); // 1
    struct(baseBtf, 'node', ['next', 3]); // 2
    pointer(baseBtf, 2); // 3
    pointer(baseBtf.type(Kind.FWD, 'hidden'), 4); // 4, 5
    struct(baseBtf, 'user', ['h', 5]); // 6
    const base = Spec.parse(baseBtf.bytes());
    const btf = new BtfAssembler('little', baseBtf.stringEnd);
    int(btf); // 7
    struct(btf, 'node', ['next', 9]); // 8
    pointer(btf, 8); // 9
    struct(btf, 'hidden', ['x', 7], ['own', 9]); // 10
    struct(btf, 'user', ['h', 12]); // 11
    pointer(btf, 10); // 12
    const { bytes, ids } = dedup(Spec.parse(btf.bytes(), { base }));
    const left = Spec.parse(bytes, { base });
    // `user` would equal the type of the base if its FWD were resolved.
    expect([...left]).toMatchObject([
      { id: 7, kind: 'STRUCT', name: 'hidden', members: [{ typeId: 1 }, { name: 'own', typeId: 3 }] },
      { id: 8, kind: 'STRUCT', name: 'user', members: [{ typeId: 9 }] },
      { id: 9, kind: 'PTR', typeId: 7 },
    ]);
    expect([...ids.subarray(1)]).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 7, 8, 9]);
    // Names of the base are not repeated.
    expect(new TextDecoder().decode(bytes.subarray(bytes.length - 6))).toBe('x\0own\0');
  });

  test('rejects references in a cycle without a struct, however long', () => {
    const chain = (length: number, last: number): Spec => {
      const btf = new BtfAssembler('little');
      for (let id = 1; id < length; id++) btf.type(Kind.CONST, 0, { sizeOrTypeId: id + 1 });
      btf.type(Kind.CONST, 0, { sizeOrTypeId: last });
      return Spec.parse(btf.bytes());
    };
    expect(() => dedup(chain(30_000, 1))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    expect(() => dedup(chain(1, 1))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    expect(Spec.parse(dedup(chain(30_000, 0)).bytes).typeCount).toBe(30_000);
  });

  test('finds thousands of types equal that a compiler repeated within one struct', () => {
    const spec = units(loops(3000, [1], [0, 0]), loops(3000, [1, 1], [0, 1]));
    expect(Spec.parse(dedup(spec).bytes).typeCount).toBe(1 + 1 + 6000 + 1);
  });

  test('finds a difference once that thousands of types lead to', () => {
    const spec = units(loops(1000, [1], [0, 0]), loops(1000, [1, 2], [0, 1]));
    const { bytes } = dedup(spec, { maxComparisons: 100_000 });
    // The two kernels have nothing but the int in common.
    expect(Spec.parse(bytes).typeCount).toBe(spec.typeCount - 1);
  });

  /**
   * For each number a UNION of one name with a pointer to a type that differs: with `forward`, a STRUCT of one name, which
   * is also declared. Otherwise a FLOAT.
   */
  function almostEqual(count: number, forward: boolean): Spec {
    const btf = new BtfAssembler('little');
    const name = btf.string('s');
    btf.type(forward ? Kind.FWD : Kind.FLOAT, name);
    for (let id = 2; id < 2 + count * 3; id += 3) {
      btf.type(forward ? Kind.STRUCT : Kind.FLOAT, name, { sizeOrTypeId: id });
      pointer(btf, id);
      btf.type(Kind.UNION, name, { vlen: 1, sizeOrTypeId: 8, data: [name, id + 1, 0] });
    }
    return Spec.parse(btf.bytes());
  }

  test('does not compare structs that point to types that differ', () => {
    const spec = almostEqual(1500, false);
    const { bytes } = dedup(spec, { maxComparisons: 0 });
    expect(Spec.parse(bytes).typeCount).toBe(spec.typeCount);
  });

  test('ends at its limit for many structs that are almost equal', () => {
    const spec = almostEqual(800, true);
    expect(() => dedup(spec, { maxComparisons: 500_000 })).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
    expect(Spec.parse(dedup(spec).bytes).typeCount).toBe(spec.typeCount);
  });
});
