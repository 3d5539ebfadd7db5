import { describe, expect, test } from '@jest/globals';
import { BtfFormatError } from '../format-error.js';
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
import { Kind } from '../types.js';
import type { CoreTarget } from './candidates.js';
import { resolveRelocations, type ResolveRelocationsOptions } from './resolve.js';
import type { Loader } from './rules/loader-rules.js';

const LOADERS: readonly Loader[] = ['libbpf', 'cilium'];

/** BTF of structs with members of 4 or 8 bytes: `NAME.MEMBER:BYTES,…`. The types 1 and 2 are the integers. */
function structs(...texts: string[]): BtfAssembler {
  const btf = integers(new BtfAssembler('little'));
  for (const text of texts) addStruct(btf, text);
  return btf;
}

function integers(btf: BtfAssembler): BtfAssembler {
  return btf
    .type(Kind.INT, 'u32', { sizeOrTypeId: 4, data: [32] })
    .type(Kind.INT, 'u64', { sizeOrTypeId: 8, data: [64] });
}

function addStruct(btf: BtfAssembler, text: string, first = 1): void {
  const [name = '', members = ''] = text.split('.');
  let offset = 0;
  const data = members.split(',').flatMap((member) => {
    const [own = '', size] = member.split(':');
    const at = offset;
    offset += Number(size) * 8;
    return [own, size === '8' ? first + 1 : first, at];
  });
  btf.type(Kind.STRUCT, name, { vlen: data.length / 3, sizeOrTypeId: offset / 8, data });
}

const spec = (btf: BtfAssembler): Spec => Spec.parse(btf.bytes());

/** A program of a relocation for the offset of each access, in an instruction that moves the value. */
function program(
  name: string,
  accesses: readonly (readonly [number, string, number])[],
  more: Partial<ProgramWords> = {},
): ProgramWords {
  return {
    name,
    instructions: [...accesses.map(([, , value]) => ({ opcode: 0xb7, immediate: value })), EXIT],
    relocations: accesses.map(([typeId, access], instruction): RelocationWords => ({
      instruction,
      typeId,
      access,
      kind: 'FIELD_BYTE_OFFSET',
    })),
    ...more,
  };
}

function resolve(
  local: BtfAssembler,
  programs: readonly ProgramWords[],
  target: CoreTarget,
  options: ResolveRelocationsOptions = {},
): string[] {
  const object = parseBpfObject(assembleCoreObject('little', local, programs));
  return resolveRelocations(object, target, options).relocations.map(
    ({ loadedFor, program: own, local: place, outcome, targetValue, match }) => {
      const scope = loadedFor === own ? (own?.name ?? '') : `${loadedFor?.name}/${own?.name}`;
      const found = match === null ? '' : ` ${targetValue} in ${match.object}`;
      return `${scope}: ${place?.text} ${outcome}${found}`;
    },
  );
}

function errorOf(run: () => unknown): BtfFormatError {
  try {
    run();
  } catch (error) {
    if (error instanceof BtfFormatError) return error;
    throw error;
  }
  throw new Error('did not throw');
}

describe('a relocation', () => {
  const local = () => structs('s.a:4,b:4');
  const object = (
    relocations: readonly RelocationWords[],
    instructions = [{ opcode: 0xb7, immediate: 4 }, EXIT],
  ) => parseBpfObject(assembleCoreObject('little', local(), [{ name: 'f', instructions, relocations }]));
  const asked: RelocationWords = { instruction: 0, typeId: 3, access: '0:1', kind: 'FIELD_BYTE_OFFSET' };

  test('has the place, the candidates, the values and the patch', () => {
    const kernel = spec(structs('other.x:4', 's.c:8,b:8', 's___old.a:4'));
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
    const [relocation] = resolveRelocations(object([words]), { kernel: spec(local()) }).relocations;
    expect(relocation).toMatchObject({ outcome: 'REFUSED', reason, patch: null });
  });

  test.each(LOADERS)('of an instruction without the value is refused by %s', (loader) => {
    const instructions = [{ opcode: 0xb7, immediate: 5 }, EXIT];
    const [relocation] = resolveRelocations(
      object([asked], instructions),
      { kernel: spec(local()) },
      { loader },
    ).relocations;
    expect(relocation).toMatchObject({
      outcome: 'REFUSED',
      reason: 'instruction 0 has the immediate 5, not 4 as it was compiled with',
    });
  });

  test('after a program, or of none, is skipped', () => {
    const relocations = resolveRelocations(object([{ ...asked, instruction: 7 }]), {
      kernel: spec(local()),
    }).relocations;
    expect(relocations).toMatchObject([{ outcome: 'SKIPPED', program: null, instruction: 7 }]);
  });

  test('does not change the object', () => {
    const file = assembleCoreObject('little', local(), [program('f', [[3, '0:1', 4]])]);
    const before = file.slice();
    resolveRelocations(parseBpfObject(file), { kernel: spec(structs('s.c:8,b:8')) });
    expect(file).toEqual(before);
  });
});

test('an object without .BTF.ext has no relocations', () => {
  const object = parseBpfObject(
    assembleCoreObject('little', structs('s.a:4'), [{ name: 'f', instructions: [EXIT] }]),
  );
  expect(resolveRelocations(object, { kernel: spec(structs('s.a:4')) })).toEqual({
    loader: 'libbpf',
    loaderRelease: '1.8',
    relocations: [],
  });
});

// Measured with libbpf and cilium/ebpf: the design of CheckObject.
describe('two types of one name', () => {
  const kernel = spec(structs('s.a:4,x:4', 's.b:4,a:4'));
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
    const far = spec(structs('s.a:4', 's.b:4'));
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
    const far = spec(structs('s.a:4', 's.b:4'));
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
  const kernel = spec(structs('s.a:4', 's.b:4'));
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
  const kernel = spec(vmlinux());
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

describe('hostile types', () => {
  test('that contain themselves twice at each of 60 levels take no time', () => {
    const target = integers(new BtfAssembler('little'));
    addStruct(target, 'x.y:4');
    for (let level = 0; level < 60; level++) {
      const id = 3 + level;
      target.type(Kind.STRUCT, level === 59 ? 's' : '', {
        vlen: 2,
        sizeOrTypeId: 8,
        data: ['', id, 0, '', id, 32],
      });
    }
    for (const loader of LOADERS) {
      expect(
        resolve(structs('s.a:4'), [program('f', [[3, '0:0', 0]])], { kernel: spec(target) }, { loader }),
      ).toHaveLength(1);
    }
  });

  test('that match at each of 30 levels in two ways take no time', () => {
    const chain = (): BtfAssembler => {
      const btf = integers(new BtfAssembler('little'));
      addStruct(btf, 'x.y:4');
      for (let level = 0; level < 28; level++) {
        const id = 3 + level;
        btf.type(Kind.STRUCT, `s${level}`, { vlen: 2, sizeOrTypeId: 8, data: ['a', id, 0, 'b', id, 32] });
      }
      return btf;
    };
    const asks: ProgramWords = {
      name: 'f',
      instructions: [{ opcode: 0xb7, immediate: 1 }, EXIT],
      relocations: [{ instruction: 0, typeId: 31, access: '0', kind: 'TYPE_MATCHES' }],
    };
    for (const loader of LOADERS) {
      expect(resolve(chain(), [asks], { kernel: spec(chain()) }, { loader })).toEqual([
        'f: struct s27 RESOLVED 1 in vmlinux',
      ]);
    }
  });

  test('that are too much work end with LIMIT_EXCEEDED', () => {
    const wide = (): BtfAssembler => {
      const data = Array.from({ length: 8000 }, (_, i) => [`m${i}`, 1, 0]).flat();
      return integers(new BtfAssembler('little')).type(Kind.STRUCT, 's', {
        vlen: 8000,
        sizeOrTypeId: 4,
        data,
      });
    };
    const asks: ProgramWords = {
      name: 'f',
      instructions: [{ opcode: 0xb7, immediate: 1 }, EXIT],
      relocations: [{ instruction: 0, typeId: 3, access: '0', kind: 'TYPE_MATCHES' }],
    };
    expect(errorOf(() => resolve(wide(), [asks], { kernel: spec(wide()) })).code).toBe('LIMIT_EXCEEDED');
  });

  test('that an access goes through in long chains end with LIMIT_EXCEEDED', () => {
    const chain = integers(new BtfAssembler('little')).type(Kind.STRUCT, 's', {
      vlen: 1,
      sizeOrTypeId: 4,
      data: ['m', 4, 0],
    });
    for (let link = 0; link < 1000; link++)
      chain.type(Kind.TYPEDEF, 't', { sizeOrTypeId: link === 999 ? 3 : 5 + link });
    const access = Array.from({ length: 64 }, () => 0).join(':');
    const words: ProgramWords = {
      name: 'f',
      instructions: [{ opcode: 0xb7 }, EXIT],
      relocations: Array.from({ length: 2000 }, () => ({
        instruction: 0,
        typeId: 3,
        access,
        kind: 'FIELD_EXISTS',
      })),
    };
    for (const loader of LOADERS) {
      const run = () => resolve(chain, [words], { kernel: spec(structs('s.m:4')) }, { loader });
      // cilium/ebpf keeps the last relocation of an instruction alone.
      if (loader === 'cilium') expect(run()).toHaveLength(2000);
      else expect(errorOf(run).code).toBe('LIMIT_EXCEEDED');
    }
  });

  test('of more than 4,096 of one name are refused', () => {
    const names = Array.from({ length: 4097 }, () => 's.a:4');
    expect(
      resolve(structs('s.a:4'), [program('f', [[3, '0:0', 0]])], { kernel: spec(structs(...names)) }),
    ).toEqual(['f: undefined REFUSED']);
  });
});

test.each([
  [{ loader: 'gobpf' as Loader }, 'no loader "gobpf": use "libbpf" or "cilium"'],
  [{ programs: ['g'] }, 'the object has no program "g"'],
])('the options %j are rejected', (options, message) => {
  const run = () =>
    resolve(structs('s.a:4'), [program('f', [[3, '0:0', 0]])], { kernel: spec(structs('s.a:4')) }, options);
  expect(errorOf(run)).toMatchObject({ code: 'INVALID_ARGUMENT', message });
});
