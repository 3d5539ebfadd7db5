import { describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfBuildError } from '../build/build-error.js';
import { Builder } from '../build/builder.js';
import type { NewType } from '../build/field-checks.js';
import { selectTypes } from '../build/select.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { kernels, readSpec } from '../testing/corpus.js';
import { Libbpf } from '../testing/libbpf.js';
import { Kind, type TypeId } from '../types.js';
import { CDump } from './c-dump.js';
import { printC } from './print-c.js';

const INT: NewType = { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 };

/** A struct with one member at its start. */
function structOf(name: string, member: string, typeId: TypeId, size = 4): NewType {
  const members = [{ name: member, typeId, bitOffset: 0, bitfieldSize: 0 }];
  return { kind: 'STRUCT', name, size, members };
}

describe('CDump of a spec', () => {
  test('returns each definition once, after those that it needs', () => {
    const spec = Spec.parse(
      new BtfAssembler('little')
        .type(Kind.STRUCT, 'outer', { vlen: 1, sizeOrTypeId: 4, data: ['in', 3, 0] })
        .type(Kind.TYPEDEF, 'alias', { sizeOrTypeId: 3 })
        .type(Kind.STRUCT, 'inner', { vlen: 1, sizeOrTypeId: 4, data: ['x', 4, 0] })
        .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [(1 << 24) | 32] })
        .bytes(),
    );
    const dump = new CDump(spec);
    expect(dump.dumpType(1)).toBe(
      'struct inner {\n\tint x;\n};\n\nstruct outer {\n\tstruct inner in;\n};\n\n',
    );
    expect([0, 1, 3, 4].map((id) => dump.dumpType(id))).toEqual(['', '', '', '']);
    expect(dump.dumpType(2)).toBe('typedef struct inner alias;\n\n');
    expect(() => dump.dumpType(5)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    expect(() => dump.dumpType(-1)).toThrow('no type with id -1: the largest id is 4');
    expect(dump.bytesCount).toBe(0);
  });

  test('returns the text of printC in parts, with assertions if they are wanted', () => {
    const spec = Spec.parse(assembleAllKinds('little').bytes());
    for (const assertions of [false, true]) {
      const dump = new CDump(spec, { assertions });
      const text = [...spec.typeIds()].map((id) => dump.dumpType(id)).join('');
      const options = { preamble: false, roots: spec.typeIds(), assertions };
      const count = `/* Types that C cannot state, as bytes: ${dump.bytesCount} */\n\n`;
      expect(text + count).toBe(printC(spec, options));
      expect(text.includes('_Static_assert')).toBe(assertions);
    }
  });

  test('throws the first error again, because text is missing', () => {
    const btf = new BtfAssembler('little')
      .type(Kind.STRUCT, 'a', { vlen: 1, data: ['a', 1, 0] })
      .type(Kind.STRUCT, 'b');
    const dump = new CDump(Spec.parse(btf.bytes()));
    for (const id of [1, 1, 2]) expect(() => dump.dumpType(id)).toThrow('the type contains itself');
    const small = new CDump(Spec.parse(assembleAllKinds('little').bytes()), { maxBytes: 10 });
    for (let i = 0; i < 2; i++) {
      expect(() => small.dumpType(6)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    }
  });
});

describe('CDump of a builder', () => {
  test('continues with types that were added', () => {
    const builder = new Builder({ deduplicate: false });
    const dump = new CDump(builder);
    const int = builder.add(INT);
    expect(dump.dumpType(int)).toBe('');
    const a = builder.add(structOf('a', 'x', int));
    expect(dump.dumpType(a)).toBe('struct a {\n\tint x;\n};\n\n');
    // Many types, so that everything has to grow.
    let text = '';
    let last = a;
    for (let i = 0; i < 3000; i++) {
      last = builder.add(structOf(`s${i}`, `m${i}`, i % 100 === 0 ? a : last));
      if (i % 10 === 9) text += dump.dumpType(last);
    }
    expect(text.match(/^struct /gm)).toHaveLength(3000);
    expect(text).toContain('struct s0 {\n\tstruct a m0;\n};\n\nstruct s1 {');
    expect([a, last - 1, last].map((id) => dump.dumpType(id))).toEqual(['', '', '']);
    const same = builder.add(structOf('a', 'y', int));
    expect(dump.dumpType(same)).toBe('struct a___2 {\n\tint y;\n};\n\n');
    expect(dump.dumpType(builder.add({ kind: 'TYPEDEF', name: 'b', typeId: same }))).toBe(
      'typedef struct a___2 b;\n\n',
    );
  });

  test('reads the base of the builder, whose names and types are numbered as its own', () => {
    const base = Spec.parse(
      new BtfAssembler('big')
        .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [(1 << 24) | 32] })
        .type(Kind.STRUCT, 'a', { vlen: 1, sizeOrTypeId: 4, data: ['x', 1, 0] })
        .bytes(),
    );
    const builder = new Builder({ base });
    const dump = new CDump(builder);
    const own = builder.add(structOf('a', 'in', 2));
    expect(dump.dumpType(own)).toBe('struct a {\n\tint x;\n};\n\nstruct a___2 {\n\tstruct a in;\n};\n\n');
  });

  test('declares functions and variables, which libbpf leaves out', () => {
    const builder = new Builder();
    const dump = new CDump(builder);
    const proto = builder.add({ kind: 'FUNC_PROTO', returnTypeId: builder.add(INT), params: [] });
    const func = builder.add({ kind: 'FUNC', name: 'f', typeId: proto, linkage: 1 });
    builder.add({ kind: 'DECL_TAG', name: 'bpf_kfunc', typeId: func, componentIdx: -1, attribute: false });
    expect(dump.dumpType(func)).toBe('extern int f(void);\n\n');
    expect(dump.dumpType(builder.add({ kind: 'VAR', name: 'v', typeId: 1, linkage: 1 }))).toBe(
      'extern int v;\n\n',
    );
  });

  test('waits for reserved types and for types that others refer to', () => {
    const builder = new Builder();
    const dump = new CDump(builder);
    const node = builder.reserve();
    const pointer = builder.add({ kind: 'PTR', typeId: node });
    expect(() => dump.dumpType(pointer)).toThrow(BtfBuildError);
    builder.define(node, structOf('node', 'next', pointer, 8));
    expect(dump.dumpType(node)).toBe('struct node {\n\tstruct node *next;\n};\n\n');
    const early = builder.add({ kind: 'TYPEDEF', name: 'early', typeId: builder.endTypeId + 1 });
    expect(() => dump.dumpType(early)).toThrow(
      'TYPEDEF with type id 3 refers to type 4, but the largest id is 3',
    );
    builder.add(INT);
    expect(dump.dumpType(early)).toBe('typedef int early;\n\n');
  });

  test('has a limit for all calls together, which grows with the types', () => {
    const few = callsToTheLimit(0);
    expect(few).toBeGreaterThan(1);
    expect(callsToTheLimit(20_000)).toBeGreaterThan(few);
  });
});

/** Counts the unions of many parts that one dump returns, with types in the builder that no call needs. */
function callsToTheLimit(otherTypes: number): number {
  const builder = new Builder({ deduplicate: false });
  const dump = new CDump(builder);
  const int = builder.add(INT);
  for (let i = 0; i < otherTypes; i++) builder.add(INT);
  const nameless = (typeId: TypeId) =>
    Array.from({ length: 400 }, () => ({ name: '', typeId, bitOffset: 0, bitfieldSize: 0 }));
  // C writes the members of the struct for each member of a union, but nothing for its members.
  const inner = builder.add({ kind: 'STRUCT', name: 's', size: 4, members: nameless(int) });
  for (let calls = 0; ; calls++) {
    const outer = builder.add({ kind: 'UNION', name: `u${calls}`, size: 4, members: nameless(inner) });
    try {
      dump.dumpType(outer);
    } catch (error) {
      expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', message: expect.stringContaining('too often') });
      return calls;
    }
  }
}

needs('gcc', 'libbpf 1.7', 'debian-kernels').test(
  'CDump returns for each of several BTFs, added one after the other, what btf_dump__dump_type prints',
  () => {
    const [kernel] = kernels('kernels');
    if (kernel === undefined) throw new Error('no BTF of a kernel');
    const base = readSpec(kernel.vmlinux);
    const parts = ['bonding', 'xfs'].map((name) => {
      const module = readSpec(kernel.path(name), base);
      return Spec.parse(selectTypes(module, module.typeIds()).bytes);
    });
    const libbpf = new Libbpf();
    const theirs = libbpf.dump(parts.map(({ bytes }) => bytes));
    libbpf.close();

    const builder = new Builder({ deduplicate: false });
    const dump = new CDump(builder);
    const ours: string[] = [];
    for (const part of parts) {
      for (const id of builder.addAllFrom(part, part.typeIds())) ours.push(dump.dumpType(id));
    }
    expect(theirs).toHaveLength(builder.typeCount);
    const spec = builder.toSpec();
    const isDeclared = (id: TypeId): boolean =>
      [Kind.FUNC, Kind.VAR].some((kind) => kind === spec.kindOf(id));
    const different = [...spec.typeIds()].filter((id) => !isDeclared(id) && ours[id - 1] !== theirs[id - 1]);
    expect(different.map((id) => [ours[id - 1], theirs[id - 1]])).toEqual([]);
    expect(ours.join('')).toContain('___2');
  },
);
