import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { BtfFormatError } from '../format-error.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleObject } from '../testing/assemble-object.js';
import { type Datasec, FuncLinkage, Kind, VarLinkage } from '../types.js';
import { validate } from '../validate/validate.js';
import { parseBpfObject } from './bpf-object.js';
import { prepareBtf } from './prepare-btf.js';

function testdata(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`testdata/${name}`, import.meta.url)));
}

function prepared(name: string): Spec {
  return Spec.parse(prepareBtf(parseBpfObject(testdata(name))));
}

function sectionOf(spec: Spec, name: string): Datasec | undefined {
  return spec.typesByName(name).find((type) => type.kind === 'DATASEC');
}

function prepareAssembled(btf: BtfAssembler): Spec {
  return Spec.parse(prepareBtf(parseBpfObject(assembleObject('little', btf.bytes(), {}))));
}

/** An `int`, a variable of a type, and a section with it. */
function oneVariable(section: string, typeId: number): BtfAssembler {
  return new BtfAssembler('little')
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [0x01000020] })
    .type(Kind.VAR, 'it', { sizeOrTypeId: typeId, data: [VarLinkage.EXTERN] })
    .type(Kind.DATASEC, section, { vlen: 1, data: [2, 0, 4] });
}

describe('the BTF of an object has the bytes with which libbpf loads it', () => {
  test.each([
    ['externs of every kind', 'externs'],
    ['kernel symbols that are variables', 'variables'],
    ['an object that bpftool linked', 'linked'],
    ['struct_ops of which some are not loaded', 'struct-ops'],
    ['kernel functions, typed and untyped variables, weak ones', 'ksyms'],
    ['Kconfig variables', 'kconfig'],
    ['kernel symbols, Kconfig and data', 'extern-ksym-kconfig'],
  ])('with %s', (_, name) => {
    const bytes = prepareBtf(parseBpfObject(testdata(`${name}.bpf.o`)));
    expect([...Spec.parse(bytes)]).toEqual([...Spec.parse(testdata(`${name}.btf`))]);
    expect(bytes).toEqual(testdata(`${name}.btf`));
    expect(validate(Spec.parse(bytes))).toEqual([]);
  });

  test('in the other byte order', () => {
    expect(prepareBtf(parseBpfObject(testdata('rest-eb.bpf.o')))).toEqual(testdata('rest-eb.btf'));
  });
});

test('types keep their ids', () => {
  const before = parseBpfObject(testdata('externs.bpf.o')).spec;
  const after = prepared('externs.bpf.o');
  expect(after.typeCount).toBe(before.typeCount + 1);
  for (const id of before.typeIds()) {
    expect([id, after.kindOf(id), after.nameOf(id)]).toEqual([id, before.kindOf(id), before.nameOf(id)]);
  }
});

test('kernel functions get an int if there is none for their variable, and the kernel accepts that', () => {
  const spec = prepared('no-int.bpf.o');
  const [int] = spec.typesByName('int');
  const [dummy] = spec.typesByName('dummy_ksym');
  expect(int).toMatchObject({ kind: 'INT', size: 4, bits: 32, encoding: 1 });
  expect(dummy).toMatchObject({ kind: 'VAR', typeId: int?.id, linkage: VarLinkage.GLOBAL });
  expect(sectionOf(spec, '.ksyms')).toMatchObject({
    size: 8,
    vars: [
      { typeId: dummy?.id, offset: 0, size: 4 },
      { typeId: dummy?.id, offset: 4, size: 4 },
    ],
  });
  expect(validate(spec)).toEqual([]);
});

test('what is appended comes before a layout section, and names come last', () => {
  const btf = new BtfAssembler('little')
    .type(Kind.FUNC_PROTO, '', { vlen: 2, data: ['', 0, '', 1] })
    .type(Kind.FUNC, 'kfunc', { vlen: FuncLinkage.EXTERN, sizeOrTypeId: 1 })
    .type(Kind.DATASEC, '.ksyms', { vlen: 1, data: [2, 0, 0] });
  const layout = Array.from({ length: 20 }, () => [0, 12] as const);
  const bytes = btf.bytes({ headerLength: 32, layout });
  const spec = Spec.parse(prepareBtf(parseBpfObject(assembleObject('little', bytes, {}))));
  expect([...spec]).toMatchObject([
    // A parameter of type 0 is the "..." of a variadic function, which has no name.
    { kind: 'FUNC_PROTO', params: [{ name: '' }, { name: 'dummy_ksym' }] },
    { kind: 'FUNC', linkage: FuncLinkage.GLOBAL },
    { kind: 'DATASEC', size: 4, vars: [{ typeId: 5 }] },
    { kind: 'INT', name: 'int' },
    { kind: 'VAR', name: 'dummy_ksym', typeId: 4 },
  ]);
});

test('BTF without anything to prepare is copied', () => {
  const btf = new BtfAssembler('little').type(Kind.FWD, 'f').bytes();
  const file = assembleObject('little', btf, {});
  const bytes = prepareBtf(parseBpfObject(file));
  expect(bytes).toEqual(btf);
  expect(bytes.buffer).not.toBe(file.buffer);
});

test('a function of another object is rejected', () => {
  const run = () => prepared('part.bpf.o');
  expect(run).toThrow(BtfFormatError);
  expect(run).toThrow(
    'function sum is extern: link this object with the one that defines it (bpftool gen object), ' +
      "or declare it with __ksym if it is the kernel's (type id 8)",
  );
});

test.each<[string, BtfAssembler, string]>([
  [
    'a variable of another object',
    oneVariable('.data', 1),
    'variable it is extern: link this object with the one that defines it (bpftool gen object), ' +
      "or declare it with __ksym or __kconfig if it is the kernel's (type id 2)",
  ],
  [
    'a kernel symbol that is a type',
    oneVariable('.data', 1).type(Kind.DATASEC, '.ksyms', { vlen: 2, data: [2, 0, 4, 1, 0, 4] }),
    'section .ksyms contains type id 1, which is not a variable (type id 4)',
  ],
  [
    'a kernel symbol that does not exist',
    oneVariable('.ksyms', 1).type(Kind.DATASEC, '.ksyms', { vlen: 1, data: [9, 0, 4] }),
    'reference to type id 9, which does not exist (type id 4)',
  ],
  [
    'a function that is a Kconfig variable',
    oneVariable('.ksyms', 1)
      .type(Kind.FUNC, 'f', { vlen: FuncLinkage.EXTERN, sizeOrTypeId: 1 })
      .type(Kind.DATASEC, '.kconfig', { vlen: 1, data: [4, 0, 4] }),
    'section .kconfig contains type id 4, which is not a variable (type id 5)',
  ],
  [
    'a Kconfig variable of void',
    oneVariable('.kconfig', 0),
    'Kconfig variable it has a type without a size (type id 2)',
  ],
  [
    'a Kconfig variable of an array without elements',
    oneVariable('.kconfig', 4).type(Kind.ARRAY, '', { data: [1, 1, 0] }),
    'Kconfig variable it has a type without a size (type id 2)',
  ],
  [
    'a Kconfig variable of a type that contains itself',
    oneVariable('.kconfig', 4).type(Kind.TYPEDEF, 't', { sizeOrTypeId: 4 }),
    'Kconfig variable it has a type without a size (type id 2)',
  ],
  [
    'a Kconfig variable of 4 GiB',
    oneVariable('.kconfig', 4).type(Kind.ARRAY, '', { data: [1, 1, 2 ** 30] }),
    'section .kconfig has more than 4 GiB (type id 3)',
  ],
])('%s is rejected', (_, btf, message) => {
  expect(() => prepareAssembled(btf)).toThrow(message);
});

test('many functions with one large prototype take time in proportion to the file', () => {
  const count = 20_000;
  const btf = new BtfAssembler('little').type(Kind.FUNC_PROTO, '', {
    vlen: count,
    data: Array.from({ length: count }, () => [0, 1]).flat(),
  });
  for (let i = 0; i < count; i++) btf.type(Kind.FUNC, 'f', { vlen: FuncLinkage.EXTERN, sizeOrTypeId: 1 });
  btf.type(Kind.DATASEC, '.ksyms', {
    vlen: count,
    data: Array.from({ length: count }, (__, i) => [i + 2, 0, 0]).flat(),
  });
  const spec = prepareAssembled(btf);
  expect(sectionOf(spec, '.ksyms')?.size).toBe(4 * count);
});
