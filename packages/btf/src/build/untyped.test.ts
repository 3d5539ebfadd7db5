import { describe, expect, test } from '@jest/globals';
import type { ByteOrder } from '../header.js';
import { Spec } from '../spec.js';
import { BtfBuildError } from './build-error.js';
import { Builder } from './builder.js';
import { convertByteOrder } from './byte-order.js';
import type { NewType } from './field-checks.js';
import { merge } from './merge.js';
import { selectTypes } from './select.js';

/** A good type of each kind. */
const TYPES: readonly NewType[] = [
  { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 },
  { kind: 'PTR', name: '', typeId: 1 },
  { kind: 'ARRAY', name: '', typeId: 1, indexTypeId: 1, nelems: 2 },
  { kind: 'STRUCT', name: 's', size: 4, members: [{ name: 'm', typeId: 1, bitOffset: 0, bitfieldSize: 0 }] },
  { kind: 'UNION', name: 'u', size: 4, members: [{ name: 'm', typeId: 1, bitOffset: 0, bitfieldSize: 3 }] },
  { kind: 'ENUM', name: 'e', size: 4, signed: false, values: [{ name: 'A', value: 1 }] },
  { kind: 'FWD', name: 'f', union: false },
  { kind: 'TYPEDEF', name: 't', typeId: 1 },
  { kind: 'VOLATILE', name: '', typeId: 1 },
  { kind: 'CONST', name: '', typeId: 1 },
  { kind: 'RESTRICT', name: '', typeId: 1 },
  { kind: 'FUNC', name: 'fn', typeId: 1, linkage: 0 },
  { kind: 'FUNC_PROTO', name: '', returnTypeId: 0, params: [{ name: 'p', typeId: 1 }] },
  { kind: 'VAR', name: 'v', typeId: 1, linkage: 1 },
  { kind: 'DATASEC', name: '.bss', size: 4, vars: [{ typeId: 1, offset: 0, size: 4 }] },
  { kind: 'FLOAT', name: 'd', size: 8 },
  { kind: 'DECL_TAG', name: 'tag', typeId: 1, componentIdx: -1, attribute: false },
  { kind: 'TYPE_TAG', name: 'tag', typeId: 1, attribute: false },
  { kind: 'ENUM64', name: 'e', size: 8, signed: true, values: [{ name: 'A', value: -1n }] },
];

/** Values that plain JavaScript may pass for anything. */
const WRONG: readonly unknown[] = [
  undefined,
  null,
  true,
  1,
  1.5,
  NaN,
  1n,
  'x',
  Symbol('x'),
  () => 'x',
  {},
  [],
  { toString: () => 'x', valueOf: () => 1 },
  globalThis.Array(3),
  Object.create(null),
];

/** Values that plain JavaScript may pass for a byte order. */
const ORDERS = ['x', 'BIG', 4321, {}].map((order): ByteOrder => JSON.parse(JSON.stringify(order)));

interface Place {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** Every field of a type, its elements and their fields. */
function placesOf(value: unknown, path: readonly (string | number)[] = []): Place[] {
  const own = path.length === 0 ? [] : [{ path, value }];
  if (typeof value !== 'object' || value === null) return own;
  const inner = Object.entries(value).flatMap(([key, part]) => {
    return placesOf(part, [...path, globalThis.Array.isArray(value) ? Number(key) : key]);
  });
  return [...own, ...inner];
}

function nameOf(path: readonly (string | number)[]): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${key}`)).join('');
}

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  if (globalThis.Array.isArray(value)) {
    return value.map((part, i) => (i === key ? replaced(part, rest, by) : part));
  }
  const fields: [string, unknown][] = Object.entries(value ?? {});
  return Object.fromEntries(
    fields.map(([name, part]) => [name, name === key ? replaced(part, rest, by) : part]),
  );
}

/** Whether a value fits in the place of another. */
function fits(by: unknown, { path, value }: Place): boolean {
  if (nameOf(path) === 'name' && by === undefined) return true;
  if (globalThis.Array.isArray(value)) return globalThis.Array.isArray(by) && !(by.length > 0);
  if (typeof value === 'number') return Number.isInteger(by);
  return typeof by === typeof value && by !== null && nameOf(path) !== 'kind';
}

/** A builder as plain JavaScript sees it. */
interface Untyped {
  add(type: unknown): unknown;
  define(id: unknown, type: unknown): unknown;
  reserve(): unknown;
  readonly typeCount: number;
}

function newBuilder(): Untyped {
  return new Builder();
}

function failure(run: () => void): unknown {
  try {
    run();
    return null;
  } catch (error) {
    return error;
  }
}

describe('for a caller without types', () => {
  test.each(TYPES.map((type) => [type.kind, type] as const))(
    'the error names the wrong field of %s, whatever its value',
    (_, type) => {
      const builder = newBuilder();
      builder.add(type);
      let refused = 0;
      for (const place of placesOf(type)) {
        for (const by of WRONG.filter((value) => !fits(value, place))) {
          const error = failure(() => builder.add(replaced(type, place.path, by)));
          expect(error).toBeInstanceOf(BtfBuildError);
          // A value that is neither an array nor an object is reported itself; in a wrong list it is the first element.
          const field = nameOf(place.path);
          const named = error instanceof BtfBuildError ? (error.field ?? '') : '';
          const lengthy =
            globalThis.Array.isArray(by) && by.length > 0 && globalThis.Array.isArray(place.value);
          const elementEmpty = typeof place.path.at(-1) === 'number' && typeof by === 'object' && by !== null;
          if (lengthy) expect(named).toBe(`${field}[0]`);
          else if (elementEmpty) expect(named.startsWith(`${field}.`)).toBe(true);
          else expect(named).toBe(field);
          refused += 1;
        }
      }
      expect(refused).toBeGreaterThan(20);
      expect(builder.typeCount).toBe(1);
    },
  );

  test.each([undefined, null, 1, 'PTR', Symbol('x')])('the error says that %p is not a type', (type) => {
    const builder = newBuilder();
    const error = failure(() => builder.add(type));
    expect(error).toMatchObject({ name: 'BtfBuildError', code: 'INVALID_TYPE', typeId: 1, field: null });
    const id = builder.reserve();
    expect(failure(() => builder.define(id, type))).toBeInstanceOf(BtfBuildError);
    expect(failure(() => builder.define(type === 1 ? 9 : type, TYPES[0]))).toMatchObject({
      code: 'INVALID_TYPE',
      message: expect.stringContaining('is not reserved'),
    });
  });

  test('the error is short, and no method of the value is called', () => {
    const builder = newBuilder();
    const long = 'x'.repeat(1 << 20);
    const bomb = {
      toString: () => {
        throw new Error('called');
      },
    };
    const wrong = [
      { kind: long, name: long },
      { kind: 'FLOAT', name: `${long}\0`, size: 4 },
      { kind: 'FLOAT', name: long, size: long },
      { kind: 'FLOAT', name: bomb, size: 4 },
      { kind: 'FLOAT', name: 'f', size: bomb },
      { kind: bomb, name: 'f' },
      { kind: 'UNKNOWN', name: bomb, kindNumber: bomb },
      { kind: 'ENUM64', name: 'e', size: 8, signed: true, values: [{ name: 'A', value: 1n << (1n << 20n) }] },
      { kind: 'STRUCT', name: 's', size: 4, members: globalThis.Array(2 ** 32 - 1) },
    ];
    for (const type of wrong) {
      const error = failure(() => builder.add(type));
      expect(error).toBeInstanceOf(BtfBuildError);
      if (error instanceof BtfBuildError) expect(error.message.length).toBeLessThan(300);
    }
  });

  test.each(ORDERS)('every function that writes reports that %p is not a byte order', (order) => {
    const builder = new Builder();
    for (const type of TYPES) builder.add(type);
    const bytes = builder.marshal();
    const spec = Spec.parse(bytes);
    const writers = [
      () => builder.marshal({ byteOrder: order }),
      () => convertByteOrder(bytes, order),
      () => selectTypes(spec, [1], { byteOrder: order }),
      () => merge([spec], { byteOrder: order }),
    ];
    for (const write of writers) {
      expect(failure(write)).toMatchObject({ name: 'BtfFormatError', code: 'INVALID_ARGUMENT' });
    }
  });
});
