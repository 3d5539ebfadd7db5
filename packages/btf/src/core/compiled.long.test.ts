import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { type BpfObject, parseBpfObject } from '../object/bpf-object.js';
import { LibbpfRelocations } from '../testing/libbpf-relocations.js';
import { libbpfLines, ourLines } from '../testing/relocation-log.js';
import { resolveRelocations } from './resolve.js';
import type { BpfLoader } from './rules/loader-rules.js';

const SOURCES = fileURLToPath(new URL('../../src/core/testdata/compiled', import.meta.url));
const KERNELS = ['kernel-1', 'kernel-2'];

/** The bodies of programs. Each gets an object of its own, because libbpf stops at the first relocation that fails. */
const BODIES = [
  ...scalars('flexible', 'count'),
  ...scalars('bits', 'a b c d e f g h'),
  ...scalars('nested', 'x y z w'),
  ...places('nested', 'list list[3] table table[1] table[2][4]'),
  ...scalars('kinds', 'size number flag real color'),
  ...places('kinds', 'pointer text function other declared'),
  ...scalars('base', 'a b'),
  ...scalars('base___old', 'a'),
  ...scalars('base___new', 'b'),
  ...scalars('gone', 'member'),
  ...places('flexible', 'items[0].number items[2].text[1]'),
  ...places('lists', 'items[3].b items[1] empty after'),
  'unnamed *s = context; SCALAR(s->ty);',
  'union both *s = context; PLACE(s->i); PLACE(s->l);',
  'union both *s = context; PLACE(s->c);',
  'union both *s = context; PLACE(s->c[7]);',
  ...types('struct base,union both,struct gone,struct flexible,enum color,enum wide,enum wider'),
  ...types('number,function,base_pointer,list,unnamed,constant,u32,u64,s8'),
  ...['RED', 'GREEN', 'BLUE', 'LAST'].map((value) => `VALUE(enum color, ${value});`),
  ...['LOW', 'HIGH'].map((value) => `VALUE(enum wide, ${value});`),
  ...['LARGE', 'NEGATIVE'].map((value) => `VALUE(enum wider, ${value});`),
  ...loads('kinds', 'pointer size number color'),
  ...loads('nested', 'z w'),
  ...loads('base', 'b'),
  ...loads('lists', 'items[2].a'),
  ...loads('bits', 'a c'),
];

function scalars(name: string, members: string): string[] {
  return members.split(' ').map((member) => `struct ${name} *s = context; SCALAR(s->${member});`);
}

function places(name: string, members: string): string[] {
  return members
    .split(' ')
    .map((member) => `struct ${name} *s = context; PLACE(s->${member}); PLACE(s[2].${member});`);
}

function types(names: string): string[] {
  return names.split(',').map((name) => `TYPE(${name});`);
}

function loads(name: string, members: string): string[] {
  return members.split(' ').map((member) => `struct ${name} *s = context; LOAD(s->${member});`);
}

needs('clang').describe('relocations of a compiler', () => {
  const dir = mkdtempSync(join(tmpdir(), 'compiled-'));
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  const compile = (source: string, target: string): Uint8Array => {
    const object = join(dir, 'object.o');
    const flags = ['-g', '-O2', '-w', '-fdebug-compilation-dir=.', '-I', SOURCES, '-target', target];
    execFileSync('clang', [...flags, '-c', source, '-o', object], { stdio: 'pipe' });
    return new Uint8Array(readFileSync(object));
  };
  const compilePrograms = (bodies: readonly string[], target: string): Uint8Array => {
    const programs = bodies.map((body, i) => `SEC("socket") int f${i}(void *context) { ${body} return 0; }`);
    const source = join(dir, 'object.c');
    writeFileSync(source, ['#include "local.h"', ...programs, ''].join('\n'));
    return compile(source, target);
  };
  const compileKernel = (name: string, target: string): BpfObject =>
    parseBpfObject(compile(join(SOURCES, `${name}.c`), target));

  needs('gcc', 'libbpf 1.7', 'root').describe('are resolved as libbpf resolves them', () => {
    let libbpf: LibbpfRelocations;
    let objects: Uint8Array[];
    beforeAll(() => {
      libbpf = new LibbpfRelocations();
      objects = BODIES.map((body) => compilePrograms([body], 'bpfel'));
    });
    afterAll(() => libbpf.close());

    needs('gcc', 'libbpf 1.7', 'root').test.each(KERNELS)('against %s', (name) => {
      const { elf, spec: kernel } = compileKernel(name, 'bpfel');
      const section = elf.section('.BTF');
      if (section === null) throw new Error('no .BTF');
      const raw = elf.bytes.slice(section.offset, section.offset + section.size);
      const logs = libbpf.run(libbpf.file(name, raw), objects);
      for (const [i, bytes] of objects.entries()) {
        const object = parseBpfObject(bytes);
        const ours = ourLines(resolveRelocations(object, { kernel }), object.spec, kernel);
        expect([BODIES[i], ...ours]).toEqual([BODIES[i], ...libbpfLines(logs[i] ?? [])]);
      }
    });
  });

  // The layout is the same but for bitfields.
  needs('clang').test.each(
    KERNELS.flatMap((name) => (['libbpf', 'cilium'] as const).map((loader) => [name, loader] as const)),
  )('are the same in both byte orders against %s by %s', (release, loader: BpfLoader) => {
    const bodies = BODIES.filter((body) => !body.includes('struct bits'));
    const [little = [], big = []] = ['bpfel', 'bpfeb'].map((target) => {
      const object = parseBpfObject(compilePrograms(bodies, target));
      const { relocations } = resolveRelocations(
        object,
        { kernel: compileKernel(release, target).spec },
        { loader },
      );
      return relocations.map(({ program, index, kind, local, outcome, localValue, targetValue, patch }) => {
        const name = program?.name;
        return { name, index, kind, place: local?.text, outcome, localValue, targetValue, patch };
      });
    });
    expect(little.length).toBeGreaterThan(200);
    expect(big).toEqual(little);
  });
});
