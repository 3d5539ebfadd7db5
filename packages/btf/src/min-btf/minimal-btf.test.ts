import { describe, expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { resolveRelocations } from '../core/resolve.js';
import type { BpfLoader } from '../core/rules/loader-rules.js';
import type { RelocationKind } from '../ext/records.js';
import type { ByteOrder } from '../header.js';
import { type BpfObject, parseBpfObject } from '../object/bpf-object.js';
import { pointerSize } from '../query/pointer-size.js';
import { typeByName } from '../query/names.js';
import { printC } from '../print/print-c.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleCoreObject, EXIT } from '../testing/assemble-ext.js';
import { readErrorOf } from '../testing/read-error-of.js';
import { type Shape, ShapeEmitter, type ShapeMember } from '../testing/random-core.js';
import { randomPair } from '../testing/random-relocations.js';
import { Kind } from '../types.js';
import { validate } from '../validate/validate.js';
import { minimalBtf } from './minimal-btf.js';

const LOADERS: readonly BpfLoader[] = ['libbpf', 'cilium'];

const INT: Shape = { is: 'int', size: 4, encoding: 1 };
const POINTER: Shape = { is: 'pointer', to: { is: 'void' } };

/** Ask is a relocation: its root, its access and its kind. */
type Ask = readonly [Shape, string, RelocationKind];

function struct(name: string, members: Readonly<Record<string, Shape>>): Shape {
  const list = Object.entries(members).map(([own, type]): ShapeMember => ({ name: own, type, bits: 0 }));
  return { is: 'struct', name, members: list };
}

function specOf(roots: readonly Shape[]): Spec {
  const emitter = new ShapeEmitter('little');
  for (const root of roots) emitter.idOf(root);
  return Spec.parse(emitter.btf.bytes());
}

/** Makes an object with instructions that have the values for its own types, as a compiler writes them. */
function objectOf(asks: readonly Ask[]): BpfObject {
  const build = (values: readonly bigint[]): BpfObject => {
    const emitter = new ShapeEmitter('little');
    const relocations = asks.map(([root, access, kind], instruction) => ({
      instruction,
      typeId: emitter.idOf(root),
      access,
      kind,
    }));
    const moves = asks.map((_, i) => ({ opcode: 0xb7, immediate: Number(values[i] ?? 0n) }));
    const program = { name: 'f', instructions: [...moves, EXIT], relocations };
    return parseBpfObject(assembleCoreObject('little', emitter.btf, [program]));
  };
  const object = build([]);
  const { relocations } = resolveRelocations(object, { kernel: object.spec });
  return build(relocations.map(({ localValue }) => localValue));
}

/** Returns the outcomes and values of relocations. */
function valuesOf(
  object: BpfObject,
  kernel: Spec,
  loader: BpfLoader,
  idOf: (id: number) => number,
): string[] {
  return resolveRelocations(object, { kernel }, { loader }).relocations.map(
    ({ kind, outcome, targetValue, targetSize }) => {
      const isId = kind === 'TYPE_ID_TARGET' && outcome === 'RESOLVED';
      const value = isId ? idOf(Number(targetValue)) : targetValue;
      // The values of a relocation that is refused depend on where the loader gave up.
      const isGivenUp = outcome === 'AMBIGUOUS' || outcome === 'REFUSED';
      return `${kind} ${outcome}${isGivenUp ? '' : ` ${value} ${targetSize}`}`;
    },
  );
}

/**
 * Expects that objects are relocated in the same way with minimal BTF, except that cilium/ebpf may take what it refuses
 * otherwise. Returns the minimal BTF.
 */
function expectSame(objects: readonly BpfObject[], kernel: Spec, loader: BpfLoader): Spec {
  const { bytes, ids } = minimalBtf(objects, kernel, { loader });
  const minimal = Spec.parse(bytes);
  for (const object of objects) {
    const full = valuesOf(object, kernel, loader, (id) => ids[id] ?? 0);
    const values = valuesOf(object, minimal, loader, (id) => id).map((value, i) =>
      loader === 'cilium' && full[i]?.endsWith(' REFUSED') === true ? full[i] : value,
    );
    expect(values).toEqual(full);
  }
  return minimal;
}

describe('minimalBtf', () => {
  test('keeps the members, values and types that relocations ask for', () => {
    const inner = struct('inner', { a: INT, b: POINTER });
    const color: Shape = {
      is: 'enum',
      name: 'color',
      wide: false,
      signed: false,
      values: [
        ['RED', 1],
        ['GREEN', 2],
      ],
    };
    const alias: Shape = { is: 'typedef', name: 'inner_t', to: { is: 'const', to: inner } };
    const outer = struct('outer', { first: INT, of: alias, to: { is: 'pointer', to: inner }, last: INT });
    const unused = struct('unused', { a: INT });
    const object = objectOf([
      [outer, '0:1:1', 'FIELD_BYTE_OFFSET'],
      [outer, '0:2', 'FIELD_EXISTS'],
      [color, '1', 'ENUMVAL_VALUE'],
      [unused, '0', 'TYPE_SIZE'],
    ]);
    const { bytes, ids } = minimalBtf([object], specOf([outer, color, unused, struct('more', {})]));
    const minimal = Spec.parse(bytes);
    expect(printC(minimal)).toMatch(/struct outer \{[^}]*struct inner of;[^}]*void \*to;[^}]*\}/s);
    expect([...minimal].map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'PTR ',
      'STRUCT inner',
      'STRUCT outer',
      'ENUM color',
      'STRUCT unused',
    ]);
    const { members } = typeByName(minimal, 'inner', 'STRUCT');
    expect(members.map(({ name }) => name)).toEqual(['b']);
    expect(typeByName(minimal, 'color', 'ENUM').values).toEqual([{ name: 'GREEN', value: 2 }]);
    expect(typeByName(minimal, 'unused', 'STRUCT')).toMatchObject({ size: 8, members: [] });
    expect([...ids].filter((id) => id > 0)).toHaveLength(6);
    expect(validate(minimal)).toEqual([]);
  });

  const tail = { is: 'array', of: INT, count: 0 } as const;
  const opaque: Shape = { is: 'fwd', name: 'opaque', union: false };
  const cases: readonly (readonly [string, readonly Shape[], readonly Ask[]])[] = [
    [
      'an array without elements that is not the last member',
      [struct('s', { a: INT, tail, z: INT })],
      [
        [struct('s', { tail }), '0:0', 'FIELD_EXISTS'],
        [struct('s', { tail }), '0:0:2', 'FIELD_EXISTS'],
      ],
    ],
    [
      'a pointer to something else in a type that is to match',
      [struct('s', { p: { is: 'pointer', to: opaque }, a: INT })],
      [
        [struct('s', { p: POINTER }), '0:0', 'FIELD_EXISTS'],
        [struct('s___other', { p: POINTER }), '0', 'TYPE_MATCHES'],
      ],
    ],
    [
      'a pointer in a type that matches',
      [struct('s', { a: INT, p: { is: 'pointer', to: struct('t', { x: INT }) } })],
      [[struct('s', { p: { is: 'pointer', to: struct('t', {}) } }), '0', 'TYPE_MATCHES']],
    ],
    [
      'two members that match the same one',
      [struct('s', { a: INT, b: INT })],
      [[struct('s', { a___1: INT, a___2: INT }), '0', 'TYPE_MATCHES']],
    ],
    [
      'a type without a size',
      [{ is: 'typedef', name: 't', to: opaque }],
      [[{ is: 'typedef', name: 't', to: struct('s', { a: INT }) }, '0', 'FIELD_BYTE_SIZE']],
    ],
    [
      'several types of one name, of which later relocations need others',
      [struct('s', { a: INT, b: INT }), struct('s', { a: INT, c: INT }), struct('s___old', { a: INT })],
      [
        [struct('s', { a: INT }), '0:0', 'FIELD_BYTE_OFFSET'],
        [struct('s___two', { c: INT }), '0:0', 'FIELD_BYTE_OFFSET'],
        [struct('s___three', { b: INT }), '0:0', 'FIELD_BYTE_OFFSET'],
        [struct('s___four', { a: INT }), '0', 'TYPE_ID_TARGET'],
      ],
    ],
    [
      'a typedef of a pointer',
      [{ is: 'typedef', name: 't', to: { is: 'pointer', to: INT } }],
      [
        [{ is: 'typedef', name: 't', to: POINTER }, '0', 'FIELD_BYTE_SIZE'],
        [{ is: 'typedef', name: 't___void', to: POINTER }, '0', 'TYPE_EXISTS'],
      ],
    ],
  ];
  test.each(cases.flatMap((row) => LOADERS.map((loader) => [row[0], loader, row[1], row[2]] as const)))(
    'relocates %s as before, by the rules of %s',
    (_, loader, kernel, asks) => {
      expectSame([objectOf(asks)], specOf(kernel), loader);
    },
  );

  test.each(
    LOADERS.flatMap((loader) =>
      (['little', 'big'] satisfies ByteOrder[]).map((order) => [order, loader] as const),
    ),
  )('relocates random %s-endian objects as before, by the rules of %s', (order, loader) => {
    const random = seeded(17);
    for (let i = 0; i < 20; i++) {
      const pair = randomPair(random, order);
      const kernel = Spec.parse(pair.kernel);
      const objects = pair.objects.map((bytes) => parseBpfObject(bytes));
      for (const object of objects) expectSame([object], kernel, loader);
      const minimal = expectSame(objects, kernel, loader);
      expect(minimal.byteOrder).toBe(order);
    }
  });

  test('keeps the size of pointers of a kernel of 32 bits', () => {
    const btf = new BtfAssembler('little');
    btf.type(Kind.INT, 'long unsigned int', { sizeOrTypeId: 4, data: [32] });
    btf.type(Kind.PTR, '', { sizeOrTypeId: 0 });
    btf.type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 4, data: ['p', 2, 0] });
    const asks: Ask[] = [[struct('s', { p: POINTER }), '0:0', 'FIELD_BYTE_SIZE']];
    const minimal = expectSame([objectOf(asks)], Spec.parse(btf.bytes()), 'libbpf');
    expect(pointerSize(minimal)).toBe(4);
  });

  test('has no types for objects without relocations', () => {
    const { bytes } = minimalBtf([objectOf([])], specOf([struct('s', { a: INT })]));
    expect(Spec.parse(bytes).typeCount).toBe(0);
  });

  test('rejects split BTF and unknown loaders', () => {
    const assembler = new BtfAssembler('little').type(Kind.STRUCT, 's');
    const base = Spec.parse(assembler.bytes());
    const split = Spec.parse(new BtfAssembler('little', assembler.stringEnd).bytes(), { base });
    expect(readErrorOf(() => minimalBtf([], split))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('use that of vmlinux'),
    });
    expect(readErrorOf(() => minimalBtf([], base, { loader: 'gobpf' as BpfLoader }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'no loader "gobpf": use "libbpf" or "cilium"',
    });
  });
});
