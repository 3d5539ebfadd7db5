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

const INT = { sizeOrTypeId: 4, data: [32] };
const parse = (btf: BtfAssembler): Spec => Spec.parse(btf.bytes());
const start = (): BtfAssembler => new BtfAssembler('little').type(Kind.INT, 'int', INT);
const messages = (spec: Spec, options = {}): string[] =>
  validate(spec, options).map(({ message }) => message);

test('each problem of the first pass is reported, with type and component', () => {
  const spec = parse(
    start()
      .type(Kind.STRUCT, '1st', { vlen: 3, sizeOrTypeId: 8, data: ['a b', 1, 0, 'ok', 0, 0, 'far', 1, 999] })
      .type(Kind.ENUM, 'e', { vlen: 2, sizeOrTypeId: 3, data: ['A', 0, 0, 1] }),
  );
  expect(validate(spec)).toEqual([
    { typeId: 2, component: null, message: 'Invalid name', offset: null },
    { typeId: 2, component: 0, message: 'Invalid name', offset: null },
    { typeId: 2, component: 1, message: 'Invalid type_id', offset: null },
    { typeId: 2, component: 2, message: 'Member bits_offset exceeds its struct size', offset: null },
    { typeId: 3, component: null, message: 'Unexpected size', offset: null },
    { typeId: 3, component: 1, message: 'Invalid name', offset: null },
  ]);
});

test('an invalid name is a problem wherever it is, and a valid name nowhere, also as the end of an invalid one', () => {
  const btf = start();
  const invalid = btf.string('1st');
  for (const name of [invalid, invalid + 1, invalid, invalid + 1]) {
    btf.type(Kind.TYPEDEF, name, { sizeOrTypeId: 1 });
  }
  const problems = validate(parse(btf)).map(({ typeId, message }) => [typeId, message]);
  expect(problems).toEqual([
    [2, 'Invalid name'],
    [4, 'Invalid name'],
  ]);
});

test('a type that fails in the second pass because another one does is not reported', () => {
  const spec = parse(
    start()
      .type(Kind.CONST, 0, { sizeOrTypeId: 3 }) // 2
      .type(Kind.TYPEDEF, 'gone', { sizeOrTypeId: 99 }) // 3
      .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 4, data: ['m', 2, 0] }) // 4
      .type(Kind.FUNC_PROTO, 0, { vlen: 1, sizeOrTypeId: 3, data: ['a', 2] }) // 5
      .type(Kind.PTR, 0, { sizeOrTypeId: 98 }), // 6
  );
  expect(validate(spec)).toEqual([
    { typeId: 3, component: null, message: 'Invalid type_id', offset: null },
    { typeId: 6, component: null, message: 'Invalid type_id', offset: null },
  ]);
});

test('at most maxProblems problems are reported', () => {
  const btf = new BtfAssembler('little');
  for (let i = 0; i < 300; i++) btf.type(Kind.FLOAT, 0, { sizeOrTypeId: 3 });
  const spec = parse(btf);
  expect(validate(spec)).toHaveLength(100);
  expect(validate(spec, { maxProblems: 7 })).toHaveLength(7);
  expect(validate(spec, { maxProblems: 1000 })).toHaveLength(300);
  // No problem would mean that the kernel accepts the BTF.
  expect(validate(spec, { maxProblems: 0 })).toHaveLength(1);
});

describe('a kernel of a release', () => {
  const proto = (btf: BtfAssembler): BtfAssembler => btf.type(Kind.FUNC_PROTO, 0);
  const longName = 'x'.repeat(129);
  test.each<
    [feature: keyof KernelFeatures, major: number, minor: number, btf: BtfAssembler, message: string]
  >([
    ['func', 5, 0, proto(start()), 'Invalid kind:13'],
    ['datasec', 5, 2, start().type(Kind.VAR, 'v', { sizeOrTypeId: 1, data: [1] }), 'Invalid kind:14'],
    [
      'funcLinkage',
      5,
      6,
      proto(start()).type(Kind.FUNC, 'f', { vlen: 1, sizeOrTypeId: 2 }),
      'Invalid func linkage',
    ],
    ['emptySections', 5, 12, start().type(Kind.DATASEC, '.bss', { sizeOrTypeId: 4 }), 'vlen == 0'],
    [
      'lateTypeTags',
      7,
      2,
      start().type(Kind.CONST, 0, { sizeOrTypeId: 3 }).type(Kind.TYPE_TAG, 't', { sizeOrTypeId: 1 }),
      "Type tags don't precede modifiers",
    ],
    ['typeTag', 5, 17, start().type(Kind.TYPE_TAG, 't', { sizeOrTypeId: 1 }), 'Invalid kind:18'],
    ['enum64', 6, 0, start().type(Kind.ENUM64, 'e', { sizeOrTypeId: 8 }), 'Invalid kind:19'],
    [
      'enum64',
      6,
      0,
      start().type(Kind.ENUM, 'e', { sizeOrTypeId: 4, kindFlag: true }),
      'Invalid btf_info kind_flag',
    ],
    ['longNames', 6, 1, start().type(Kind.TYPEDEF, longName, { sizeOrTypeId: 1 }), 'Invalid name'],
    [
      'tagAttributes',
      6,
      15,
      start().type(Kind.TYPE_TAG, 't', { sizeOrTypeId: 1, kindFlag: true }),
      'Invalid btf_info kind_flag',
    ],
    [
      'wideVlen',
      7,
      2,
      start().type(Kind.FUNC_PROTO, 0, {
        vlen: 0x10000,
        data: Array.from({ length: 0x20000 }, (_, i) => i & 1),
      }),
      'Invalid btf_info:d010000',
    ],
  ])('has %s since %d.%d and refuses what needs it before', (feature, major, minor, btf, message) => {
    const spec = parse(btf);
    const before = minor === 0 ? kernelFeaturesOf(major - 1, 19) : kernelFeaturesOf(major, minor - 1);
    expect([before[feature], kernelFeaturesOf(major, minor)[feature]]).toEqual([false, true]);
    expect(messages(spec, { kernelFeatures: before })).toContain(message);
    expect(messages(spec, { kernelFeatures: kernelFeaturesOf(major, minor) })).toEqual([]);
    expect(messages(spec, { kernelFeatures: { [feature]: false } })).toEqual([message]);
    expect(messages(spec)).toEqual([]);
  });

  test('reports a kind above 15 as an invalid info word before 5.13, which has FLOAT', () => {
    const spec = parse(start().type(Kind.FLOAT, 'f', { sizeOrTypeId: 4 }));
    expect(messages(spec, { kernelFeatures: kernelFeaturesOf(5, 12) })).toEqual([
      'Invalid btf_info:10000000',
    ]);
    expect(messages(spec, { kernelFeatures: kernelFeaturesOf(5, 13) })).toEqual([]);
    expect(messages(spec, { kernelFeatures: { float: false } })).toEqual(['Invalid kind:16']);
  });

  test('accepts dots in the names of variables and sections since 5.2', () => {
    const spec = parse(
      start()
        .type(Kind.VAR, 'a.b', { sizeOrTypeId: 1, data: [1] })
        .type(Kind.DATASEC, '.bss', { vlen: 1, sizeOrTypeId: 4, data: [2, 0, 4] }),
    );
    expect(messages(spec, { kernelFeatures: kernelFeaturesOf(5, 2) })).toEqual([]);
  });

  test('accepts a pointer to a function since 5.16, which has DECL_TAG', () => {
    const spec = parse(
      proto(start()).type(Kind.FUNC, 'f', { sizeOrTypeId: 2 }).type(Kind.PTR, 0, { sizeOrTypeId: 3 }),
    );
    expect(messages(spec, { kernelFeatures: kernelFeaturesOf(5, 15) })).toEqual(['Invalid type_id']);
    expect(messages(spec, { kernelFeatures: kernelFeaturesOf(5, 16) })).toEqual([]);
  });

  test('refuses a function that returns a variable since 5.16, which has DECL_TAG', () => {
    const spec = parse(
      start()
        .type(Kind.VAR, 'v', { sizeOrTypeId: 1, data: [0] })
        .type(Kind.FUNC_PROTO, 0, { sizeOrTypeId: 2 }),
    );
    expect(messages(spec, { kernelFeatures: kernelFeaturesOf(5, 15) })).toEqual([]);
    expect(messages(spec, { kernelFeatures: kernelFeaturesOf(5, 16) })).toEqual(['Invalid return type']);
  });

  test('accepts a layout section since 7.1', () => {
    const layout = Array.from({ length: 20 }, () => [0, 0] as const);
    const spec = Spec.parse(start().bytes({ headerLength: 32, layout }));
    expect(messages(spec)).toEqual([]);
    expect(messages(spec, { kernelFeatures: kernelFeaturesOf(7, 0) })).toContain('Unsupported btf_header');
  });
});

test('BTF in the other byte order is checked by its content, and rejected if it differs from a given byte order', () => {
  const big = Spec.parse(
    new BtfAssembler('big').type(Kind.INT, 'int', INT).type(Kind.PTR, 0, { sizeOrTypeId: 9 }).bytes(),
  );
  expect(messages(big)).toEqual(['Invalid type_id']);
  expect(messages(big, { byteOrder: 'little' })).toEqual(['Invalid magic']);
  expect(messages(big, { byteOrder: 'big' })).toEqual(['Invalid type_id']);
});

test('the size of an array of pointers depends on the kernel’s pointers', () => {
  const spec = parse(
    start()
      .type(Kind.PTR, 0)
      .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 4, data: ['p', 2, 0] }),
  );
  expect(messages(spec)).toEqual(['Member exceeds struct_size']);
  expect(messages(spec, { pointerSize: 4 })).toEqual([]);
});

test('split BTF is checked by its own types, whatever its base contains', () => {
  const btf = start().type(Kind.STRUCT, 'loop', { vlen: 1, sizeOrTypeId: 4, data: ['m', 2, 0] }); // 2
  const base = parse(btf);
  const split = (typeId: number): Spec =>
    Spec.parse(
      new BtfAssembler('little', btf.stringEnd)
        .type(Kind.STRUCT, 'own', { vlen: 1, sizeOrTypeId: 4, data: ['m', typeId, 0] })
        .bytes(),
      { base },
    );
  expect(messages(base)).toEqual(['Loop detected']);
  expect(messages(split(1))).toEqual([]);
  expect(messages(split(3))).toEqual(['Loop detected']);
  expect(messages(split(4))).toEqual(['Invalid member']);
  const header = new BtfAssembler('little', btf.stringEnd).bytes();
  expect(messages(Spec.parse(header, { base }))).toEqual([]);
});

test('hostile BTF ends in a list of problems: loops, depth, types that share one long name', () => {
  const rings = new BtfAssembler('little');
  for (let id = 1; id <= 50_000; id++) rings.type(Kind.PTR, 0, { sizeOrTypeId: (id % 50_000) + 1 });
  expect(messages(parse(rings))[0]).toBe('Exceeded max resolving depth:32');
  const nest = new BtfAssembler('little');
  for (let id = 1; id <= 31; id++) {
    nest.type(Kind.STRUCT, 0, { vlen: 3, sizeOrTypeId: 8, data: [0, id + 1, 0, 0, id + 1, 0, 0, id + 1, 0] });
  }
  expect(messages(parse(nest.type(Kind.INT, 'int', INT)))).toEqual([]);
  const named = new BtfAssembler('little');
  for (let i = 0; i < 50_000; i++) named.type(Kind.TYPEDEF, 1 + (i % 1000), { sizeOrTypeId: 0 });
  named.string('x'.repeat(10_000));
  expect(messages(parse(named))[0]).toBe('Invalid name');
});

test('mutants end in a list of problems', () => {
  const random = seeded(77);
  const bytes = start()
    .type(Kind.STRUCT, 's', { vlen: 2, sizeOrTypeId: 16, data: ['m', 3, 0, 'n', 4, 64] })
    .type(Kind.PTR, 0, { sizeOrTypeId: 2 })
    .type(Kind.ARRAY, 0, { data: [1, 1, 2] })
    .bytes();
  let valid = 0;
  let invalid = 0;
  for (let i = 0; i < 3000; i++) {
    try {
      if (validate(Spec.parse(mutate(bytes, random))).length === 0) valid += 1;
      else invalid += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(BtfFormatError);
    }
  }
  expect(valid).toBeGreaterThan(100);
  expect(invalid).toBeGreaterThan(500);
});

test('the parameters of a prototype are read once, however many functions have it', () => {
  const [params, functions] = [400, 500];
  const btf = start().type(Kind.FUNC_PROTO, 0, {
    vlen: params,
    data: globalThis.Array.from({ length: params }, (_, i) => (i === params - 1 ? [0, 1] : ['p', 1])).flat(),
  });
  for (let i = 0; i < functions; i++) btf.type(Kind.FUNC, 'f', { sizeOrTypeId: 2 });
  const spec = parse(btf);
  const starts = jest.spyOn(RawTypes.prototype, 'start');
  const problems = validate(spec);
  const read = starts.mock.calls.filter(([id]) => id === 2).length;
  starts.mockRestore();
  expect(problems.slice(0, 2).map(({ message, component }) => [message, component])).toEqual([
    ['Invalid arg#400', 399],
    ['Invalid arg#400', 399],
  ]);
  expect(read).toBeLessThan(functions / 4);
});

test('a type is a problem of each prototype and struct in which it is invalid', () => {
  const spec = parse(
    start()
      .type(Kind.FWD, 'unknown', {})
      .type(Kind.TYPEDEF, 'unknown_t', { sizeOrTypeId: 2 })
      .type(Kind.FUNC_PROTO, 0, { vlen: 2, data: ['a', 1, 'b', 3] })
      .type(Kind.FUNC_PROTO, 0, { vlen: 2, data: ['a', 3, 'b', 1] })
      .type(Kind.STRUCT, 's', { vlen: 2, sizeOrTypeId: 4, data: ['first', 1, 0, 'second', 1, 8] })
      .type(Kind.STRUCT, 't', { vlen: 2, sizeOrTypeId: 8, data: ['first', 1, 0, 'second', 3, 32] })
      .type(Kind.STRUCT, 'u', { vlen: 1, sizeOrTypeId: 3, data: ['first', 1, 0] }),
  );
  expect(validate(spec).map(({ typeId, component, message }) => [typeId, component, message])).toEqual([
    [4, 1, 'Invalid arg#2'],
    [5, 0, 'Invalid arg#1'],
    [6, 1, 'Member exceeds struct_size'],
    [7, 1, 'Invalid member'],
    [8, 0, 'Member exceeds struct_size'],
  ]);
});

test('the place of a member is checked, although a member of its type was valid elsewhere', () => {
  const bits = { float: 2, int: 1, odd: 3 };
  const spec = parse(
    start()
      .type(Kind.FLOAT, 'float', { sizeOrTypeId: 4 })
      .type(Kind.INT, 'odd', { sizeOrTypeId: 4, data: [12] })
      .type(Kind.STRUCT, 'good', {
        vlen: 3,
        sizeOrTypeId: 12,
        data: ['a', bits.int, 0, 'b', bits.float, 32, 'c', bits.odd, 64],
      })
      .type(Kind.STRUCT, 'unaligned', { vlen: 1, sizeOrTypeId: 8, data: ['a', bits.float, 8] })
      .type(Kind.STRUCT, 'bits', {
        kindFlag: true,
        vlen: 1,
        sizeOrTypeId: 8,
        data: ['a', bits.int, 33 * 2 ** 24],
      })
      .type(Kind.STRUCT, 'beyond', { vlen: 1, sizeOrTypeId: 4, data: ['a', bits.int, 4] })
      .type(Kind.STRUCT, 'small', { vlen: 1, sizeOrTypeId: 1, data: ['a', bits.odd, 0] }),
  );
  expect(validate(spec).map(({ typeId, component, message }) => [typeId, component, message])).toEqual([
    [5, 0, 'Member is not properly aligned'],
    [6, 0, 'Invalid member bitfield_size'],
    [7, 0, 'Member exceeds struct_size'],
    [8, 0, 'Member exceeds struct_size'],
  ]);
});
