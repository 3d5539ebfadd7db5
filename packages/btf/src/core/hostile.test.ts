import { describe, expect, test } from '@jest/globals';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { CALL, PSEUDO_CALL } from '../object/instructions.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { assembleCoreObject, EXIT, type ProgramWords } from '../testing/assemble-ext.js';
import { addStruct, integers, program, resolve, specOf, structs } from '../testing/core-structs.js';
import { readErrorOf } from '../testing/read-error-of.js';
import { Spec } from '../spec.js';
import { Kind } from '../types.js';
import { resolveRelocations } from './resolve.js';
import type { BpfLoader } from './rules/loader-rules.js';

const LOADERS: readonly BpfLoader[] = ['libbpf', 'cilium'];

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
        resolve(structs('s.a:4'), [program('f', [[3, '0:0', 0]])], { kernel: specOf(target) }, { loader }),
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
      expect(resolve(chain(), [asks], { kernel: specOf(chain()) }, { loader })).toEqual([
        'f: struct s27 RESOLVED 1 in vmlinux',
      ]);
    }
  });

  // libbpf follows 32 levels.
  test.each([
    ['structs', 'TYPE_MATCHES', Kind.STRUCT, (of: number) => ['m', of, 0]],
    ['indexes of arrays', 'TYPE_EXISTS', Kind.ARRAY, (of: number) => [1, of, 1]],
  ] as const)('of 20,000 %s within each other do not overflow the stack', (_, kind, type, dataOf) => {
    const chain = (): BtfAssembler => {
      const btf = integers(new BtfAssembler('little'));
      for (let id = 3; id < 20_003; id++) {
        const data = dataOf(id === 3 ? 1 : id - 1);
        btf.type(type, type === Kind.STRUCT ? 's' : '', { vlen: type === Kind.STRUCT ? 1 : 0, data });
      }
      return btf.type(Kind.TYPEDEF, 't', { sizeOrTypeId: 20_002 });
    };
    const asks: ProgramWords = {
      name: 'f',
      instructions: [{ opcode: 0xb7, immediate: 1 }, EXIT],
      relocations: [{ instruction: 0, typeId: 20_003, access: '0', kind }],
    };
    expect(resolve(chain(), [asks], { kernel: specOf(chain()) }, { loader: 'cilium' })).toEqual([
      'f: t RESOLVED 1 in vmlinux',
    ]);
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
    expect(readErrorOf(() => resolve(wide(), [asks], { kernel: specOf(wide()) })).code).toBe(
      'LIMIT_EXCEEDED',
    );
  });

  test('that an access goes through in long chains end with LIMIT_EXCEEDED', () => {
    const chain = integers(new BtfAssembler('little')).type(Kind.STRUCT, 's', {
      vlen: 1,
      sizeOrTypeId: 4,
      data: ['m', 4, 0],
    });
    for (let link = 0; link < 1000; link++)
      chain.type(Kind.TYPEDEF, 't', { sizeOrTypeId: link === 999 ? 3 : 5 + link });
    const access = ':0'.repeat(63);
    const words: ProgramWords = {
      name: 'f',
      instructions: [{ opcode: 0xb7 }, EXIT],
      // Accesses that repeat are followed once.
      relocations: Array.from({ length: 2000 }, (_, i) => ({
        instruction: 0,
        typeId: 3,
        access: `${i}${access}`,
        kind: 'FIELD_EXISTS',
      })),
    };
    for (const loader of LOADERS) {
      const run = () => resolve(chain, [words], { kernel: specOf(structs('s.m:4')) }, { loader });
      // cilium/ebpf keeps the last relocation of an instruction alone.
      if (loader === 'cilium') expect(run()).toHaveLength(2000);
      else expect(readErrorOf(run).code).toBe('LIMIT_EXCEEDED');
    }
  });

  test('of more than 4,096 of one name are refused', () => {
    const names = Array.from({ length: 4097 }, () => 's.a:4');
    expect(
      resolve(structs('s.a:4'), [program('f', [[3, '0:0', 0]])], { kernel: specOf(structs(...names)) }),
    ).toEqual(['f: undefined REFUSED']);
  });
});

describe('hostile objects', () => {
  const kernel = specOf(structs('s.a:4'));

  test('whose programs all refer to each other end with LIMIT_EXCEEDED', () => {
    const count = 800;
    const programs = Array.from({ length: count }, (_, f): ProgramWords => {
      const calls = Array.from({ length: 200 }, (__, i) => {
        const callee = (f * 7 + i * 13 + 1) % count;
        return { opcode: CALL, src: PSEUDO_CALL, immediate: (callee - f) * 201 - i - 1 };
      });
      return { name: `f${f}`, instructions: [...calls, EXIT] };
    });
    const run = () => resolve(structs('s.a:4'), programs, { kernel }, { loader: 'cilium' });
    expect(readErrorOf(run).code).toBe('LIMIT_EXCEEDED');
  });

  test('whose programs all have one large subprogram end with LIMIT_EXCEEDED', () => {
    const size = 100_000;
    const big: ProgramWords = {
      name: 'big',
      instructions: [{ opcode: 0xb7 }, ...Array.from({ length: size - 1 }, () => EXIT)],
      relocations: [{ instruction: 0, typeId: 3, access: '0:0', kind: 'FIELD_BYTE_OFFSET' }],
    };
    const programs = Array.from({ length: 600 }, (_, f): ProgramWords => ({
      name: `f${f}`,
      instructions: [{ opcode: CALL, src: PSEUDO_CALL, immediate: -size - f * 2 - 1 }, EXIT],
    }));
    const run = () => resolve(structs('s.a:4'), [big, ...programs], { kernel }, { loader: 'cilium' });
    expect(readErrorOf(run).code).toBe('LIMIT_EXCEEDED');
  });

  test('of 2,000 types that no module has end with LIMIT_EXCEEDED', () => {
    const names = Array.from({ length: 2000 }, (_, i) => `t${i}.a:4`);
    const empty = Spec.parse(new BtfAssembler('little', structs('s.a:4').stringEnd).bytes(), {
      base: kernel,
    });
    const modules = Array.from({ length: 500 }, (_, i) => ({ name: `m${i}`, spec: () => empty }));
    const accesses = names.map((_, i) => [3 + i, '0:0', 0] as const);
    const run = () => resolve(structs(...names), [program('f', accesses)], { kernel, modules });
    expect(readErrorOf(run).code).toBe('LIMIT_EXCEEDED');
  });

  test('of many relocations with many candidates end with LIMIT_EXCEEDED', () => {
    const target = { kernel: specOf(structs(...Array.from({ length: 200 }, () => 's.a:4'))) };
    const accesses = Array.from({ length: 5000 }, () => [3, '0:0', 0] as const);
    // cilium/ebpf compares all relocations with a candidate before the next one.
    const run = () => resolve(structs('s.a:4'), [program('f', accesses)], target, { loader: 'cilium' });
    expect(readErrorOf(run).code).toBe('LIMIT_EXCEEDED');
  });

  test('whose relocations repeat one access share what describes it', () => {
    const target = { kernel: specOf(structs(...Array.from({ length: 16 }, () => 's.a:4'))) };
    const words = program(
      'f',
      Array.from({ length: 5000 }, () => [3, '0:0', 0] as const),
    );
    const object = parseBpfObject(assembleCoreObject('little', structs('s.a:4'), [words]));
    for (const loader of LOADERS) {
      const { relocations } = resolveRelocations(object, target, { loader });
      const [first] = relocations;
      expect(first?.candidates).toHaveLength(16);
      expect(relocations.every(({ candidates }) => candidates === first?.candidates)).toBe(true);
      expect(relocations.every(({ local }) => local === first?.local)).toBe(true);
    }
  });

  test('with many long accesses take little memory', () => {
    const deep = (): BtfAssembler => {
      const btf = integers(new BtfAssembler('little')).type(Kind.ARRAY, '', { data: [1, 1, 4000] });
      for (let level = 0; level < 20; level++) {
        const data = ['m'.repeat(500) + level, 3 + level, 0];
        btf.type(Kind.STRUCT, `s${level}`, { vlen: 1, sizeOrTypeId: 16_000, data });
      }
      return btf;
    };
    const accesses = Array.from({ length: 4000 }, (_, i) => [23, `0${':0'.repeat(20)}:${i}`, 4 * i] as const);
    const object = parseBpfObject(assembleCoreObject('little', deep(), [program('f', accesses)]));
    const { relocations } = resolveRelocations(object, { kernel: specOf(deep()) });
    expect(relocations.every(({ outcome }) => outcome === 'RESOLVED')).toBe(true);
    expect(Math.max(...relocations.map(({ local }) => local?.text.length ?? 0))).toBe(1025);
    const described = relocations.filter(({ candidates }) => candidates.length > 0);
    expect(described.length).toBeGreaterThan(3000);
    expect(described.length).toBeLessThan(4200);
  });

  test('with more than 262,144 members in all accesses end with LIMIT_EXCEEDED', () => {
    const btf = integers(new BtfAssembler('little')).type(Kind.ARRAY, '', { data: [1, 1, 40_000] });
    for (let level = 0; level < 60; level++)
      btf.type(Kind.STRUCT, `s${level}`, { vlen: 1, sizeOrTypeId: 160_000, data: ['m', 3 + level, 0] });
    const accesses = Array.from(
      { length: 5_000 },
      (_, i) => [63, `0${':0'.repeat(60)}:${i}`, 4 * i] as const,
    );
    const run = () => resolve(btf, [program('f', accesses)], { kernel: specOf(structs('s.a:4')) });
    expect(readErrorOf(run).message).toBe('the object has accesses with more than 262144 members in all');
  });
});
