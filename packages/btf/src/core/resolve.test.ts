import { describe, expect, test } from '@jest/globals';
import { parseBpfObject } from '../object/bpf-object.js';
import { CALL, PSEUDO_CALL } from '../object/instructions.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import {
  assembleCoreObject,
  EXIT,
  type ProgramWords,
  type RelocationWords,
} from '../testing/assemble-ext.js';
import { addStruct, program, resolve, specOf, structs } from '../testing/core-structs.js';
import { readErrorOf } from '../testing/read-error-of.js';
import { resolveRelocations } from './resolve.js';
import type { BpfLoader } from './rules/loader-rules.js';

const LOADERS: readonly BpfLoader[] = ['libbpf', 'cilium'];

describe('a relocation', () => {
  const local = () => structs('s.a:4,b:4');
  const object = (
    relocations: readonly RelocationWords[],
    instructions = [{ opcode: 0xb7, immediate: 4 }, EXIT],
  ) => parseBpfObject(assembleCoreObject('little', local(), [{ name: 'f', instructions, relocations }]));
  const asked: RelocationWords = { instruction: 0, typeId: 3, access: '0:1', kind: 'FIELD_BYTE_OFFSET' };

  test('has the place, the candidates, the values and the patch', () => {
    const kernel = specOf(structs('other.x:4', 's.c:8,b:8', 's___old.a:4'));
    const [relocation] = resolveRelocations(object([asked]), { kernel }).relocations;
    expect(relocation).toMatchObject({
      index: 0,
      section: 'socket',
      program: { name: 'f' },
      instruction: 0,
      kind: 'FIELD_BYTE_OFFSET',
      local: { typeId: 3, text: 'struct s.b', access: '0:1', bitOffset: 32 },
      outcome: 'RESOLVED',
      localValue: 4n,
      targetValue: 8n,
      localSize: 4,
      targetSize: 8,
      match: { object: 'vmlinux', typeId: 4, typeName: 'struct s' },
      candidates: [
        { typeId: 4, reason: '', place: { text: 'struct s.b', access: '0:1', bitOffset: 64 } },
        { typeId: 5, typeName: 'struct s___old', reason: 'has no member b', place: null },
      ],
      candidateCount: 2,
      patch: { part: 'IMMEDIATE', from: 4n, to: 8n, size: null },
      reason: '',
    });
  });

  test.each([
    ['a type that the object does not have', { ...asked, typeId: 99 }, 'the object has no type id 99'],
    ['a kind that does not exist', { ...asked, kind: 13 }, 'unknown kind 13 of relocation'],
    ['a member that does not exist', { ...asked, access: '0:2' }, 'type id 3 has no member 2'],
    ['an access that is not one', { ...asked, access: '0:-1' }, '"0:-1" is not an access'],
    [
      'an access of 65 indexes',
      { ...asked, access: Array.from({ length: 65 }, () => 0).join(':') },
      'the access has more than 64 indexes',
    ],
    [
      'an integer as a struct',
      { ...asked, typeId: 1 },
      'the access goes into type id 1, which is neither a struct, a union nor an array',
    ],
  ])('for %s is refused', (_, words, reason) => {
    const [relocation] = resolveRelocations(object([words]), { kernel: specOf(local()) }).relocations;
    expect(relocation).toMatchObject({ outcome: 'REFUSED', reason, patch: null });
  });

  test.each(LOADERS)('of an instruction without the value is refused by %s', (loader) => {
    const instructions = [{ opcode: 0xb7, immediate: 5 }, EXIT];
    const [relocation] = resolveRelocations(
      object([asked], instructions),
      { kernel: specOf(local()) },
      { loader },
    ).relocations;
    expect(relocation).toMatchObject({
      outcome: 'REFUSED',
      reason: 'instruction 0 has the immediate 5, not 4 as it was compiled with',
    });
  });

  test('after a program, or of none, is skipped', () => {
    const relocations = resolveRelocations(object([{ ...asked, instruction: 7 }]), {
      kernel: specOf(local()),
    }).relocations;
    expect(relocations).toMatchObject([{ outcome: 'SKIPPED', program: null, instruction: 7 }]);
  });

  test('does not change the object', () => {
    const file = assembleCoreObject('little', local(), [program('f', [[3, '0:1', 4]])]);
    const before = file.slice();
    resolveRelocations(parseBpfObject(file), { kernel: specOf(structs('s.c:8,b:8')) });
    expect(file).toEqual(before);
  });
});

test('an object without .BTF.ext has no relocations', () => {
  const object = parseBpfObject(
    assembleCoreObject('little', structs('s.a:4'), [{ name: 'f', instructions: [EXIT] }]),
  );
  expect(resolveRelocations(object, { kernel: specOf(structs('s.a:4')) })).toEqual({
    loader: 'libbpf',
    loaderRelease: '1.8',
    relocations: [],
  });
});

// Measured with libbpf and cilium/ebpf: the design of CheckObject.
describe('two types of one name', () => {
  const kernel = specOf(structs('s.a:4,x:4', 's.b:4,a:4'));
  const local = () => structs('s.a:4,b:4');

  test('libbpf drops candidates in the order of the relocations', () => {
    const wanted = program('f', [
      [3, '0:1', 4],
      [3, '0:0', 0],
    ]);
    expect(resolve(local(), [wanted], { kernel })).toEqual([
      'f: struct s.b RESOLVED 0 in vmlinux',
      'f: struct s.a RESOLVED 4 in vmlinux',
    ]);
    const turned = program('f', [
      [3, '0:0', 0],
      [3, '0:1', 4],
    ]);
    expect(resolve(local(), [turned], { kernel })[0]).toMatch(/AMBIGUOUS/);
  });

  test.each([
    [
      [3, '0:1', 4],
      [3, '0:0', 0],
    ],
    [
      [3, '0:0', 0],
      [3, '0:1', 4],
    ],
  ] as const)('cilium/ebpf takes the one with all members, in any order', (...accesses) => {
    expect(resolve(local(), [program('f', accesses)], { kernel }, { loader: 'cilium' }).toSorted()).toEqual([
      'f: struct s.a RESOLVED 4 in vmlinux',
      'f: struct s.b RESOLVED 0 in vmlinux',
    ]);
  });

  test('of which two programs each need another: libbpf poisons the second, cilium/ebpf resolves both', () => {
    const same = [program('one', [[3, '0:1', 4]]), program('two', [[3, '0:0', 0]])];
    const far = specOf(structs('s.a:4', 's.b:4'));
    expect(resolve(local(), same, { kernel: far })).toEqual([
      'one: struct s.b RESOLVED 0 in vmlinux',
      'two: struct s.a POISONED',
    ]);
    expect(resolve(local(), same, { kernel: far }, { loader: 'cilium' })).toEqual([
      'one: struct s.b RESOLVED 0 in vmlinux',
      'two: struct s.a RESOLVED 0 in vmlinux',
    ]);
  });

  test('a program that libbpf does not load drops no candidates', () => {
    const programs = [
      program('off', [[3, '0:1', 4]], { section: '?socket' }),
      program('on', [[3, '0:0', 0]], { section: 'tc' }),
    ];
    const far = specOf(structs('s.a:4', 's.b:4'));
    expect(resolve(local(), programs, { kernel: far })).toEqual([
      'off: undefined SKIPPED',
      'on: struct s.a RESOLVED 0 in vmlinux',
    ]);
    expect(resolve(local(), programs, { kernel: far }, { programs: ['off', 'on'] })).toEqual([
      'off: struct s.b RESOLVED 0 in vmlinux',
      'on: struct s.a POISONED',
    ]);
  });
});

test('cilium/ebpf resolves a subprogram for each program that calls it', () => {
  const kernel = specOf(structs('s.a:4', 's.b:4'));
  const calls = (distance: number): Partial<ProgramWords> => ({
    instructions: [{ opcode: 0xb7 }, { opcode: CALL, src: PSEUDO_CALL, immediate: distance }, EXIT],
  });
  const programs = [
    program('sub', [[3, '0:0', 0]], { info: 0x02 }),
    program('one', [[3, '0:0', 0]], calls(-4)),
    program('two', [], calls(-7)),
  ];
  expect(
    resolve(structs('s.a:4,b:4'), programs, { kernel }, { loader: 'cilium', programs: ['one', 'two'] }),
  ).toEqual([
    'one/sub: struct s.a RESOLVED 0 in vmlinux',
    'two/sub: struct s.a RESOLVED 0 in vmlinux',
    'one: struct s.a RESOLVED 0 in vmlinux',
  ]);
});

describe('modules', () => {
  const vmlinux = () => structs('s.a:4');
  const kernel = specOf(vmlinux());
  const module = (name: string, ...texts: string[]) => {
    const btf = new BtfAssembler('little', vmlinux().stringEnd);
    for (const text of texts) addStruct(btf, text);
    return { name, spec: () => Spec.parse(btf.bytes(), { base: kernel }) };
  };
  const local = () => structs('s.a:4', 'm.x:4,y:4');
  const programs = [
    program('f', [
      [3, '0:0', 0],
      [4, '0:1', 4],
    ]),
  ];

  test('are searched for what vmlinux does not have', () => {
    const modules = [module('one', 's.z:4,a:4'), module('two', 'm.z:8,y:4')];
    expect(resolve(local(), programs, { kernel, modules })).toEqual([
      'f: struct s.a RESOLVED 0 in vmlinux',
      'f: struct m.y RESOLVED 8 in two',
    ]);
    // cilium/ebpf searches them always.
    expect(resolve(local(), programs, { kernel, modules }, { loader: 'cilium' })[0]).toMatch(/AMBIGUOUS/);
  });

  test('are only asked for when they are searched', () => {
    const fails = {
      name: 'broken',
      spec: () => {
        throw new Error('asked');
      },
    };
    expect(resolve(local(), [program('f', [[3, '0:0', 0]])], { kernel, modules: [fails] })).toHaveLength(1);
    expect(() => resolve(local(), programs, { kernel, modules: [fails] })).toThrow('asked');
  });

  test('have ids that libbpf writes and cilium/ebpf does not', () => {
    const words: ProgramWords = {
      name: 'f',
      instructions: [{ opcode: 0xb7, immediate: 4 }, EXIT],
      relocations: [{ instruction: 0, typeId: 4, access: '0', kind: 'TYPE_ID_TARGET' }],
    };
    const target = { kernel, modules: [module('two', 'm.y:4')] };
    expect(resolve(local(), [words], target)).toEqual(['f: struct m RESOLVED 4 in two']);
    expect(resolve(local(), [words], target, { loader: 'cilium' })).toEqual(['f: struct m POISONED']);
  });
});

test.each([
  [{ loader: 'gobpf' as BpfLoader }, 'no loader "gobpf": use "libbpf" or "cilium"'],
  [{ programs: ['g'] }, 'the object has no program "g"'],
])('the options %j are rejected', (options, message) => {
  const run = () =>
    resolve(structs('s.a:4'), [program('f', [[3, '0:0', 0]])], { kernel: specOf(structs('s.a:4')) }, options);
  expect(readErrorOf(run)).toMatchObject({ code: 'INVALID_ARGUMENT', message });
});
