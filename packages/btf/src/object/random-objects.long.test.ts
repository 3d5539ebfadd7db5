import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { parseBpfObject } from './bpf-object.js';
import { prepareBtf } from './prepare-btf.js';

const TESTDATA = fileURLToPath(new URL('../../src/object/testdata/', import.meta.url));
const OBJECTS = 100;

const KCONFIG_TYPES = ['bool', 'char', 'short', 'int', 'unsigned long', 'enum libbpf_tristate'];
const DATA_TYPES = ['char', 'short', 'int', 'long', 'struct pair', 'struct packed'];
const PARAMETERS = ['', 'int', 'struct pair *', 'long named', 'int, const void *pointer, char'];
const SECTIONS = ['', 'SEC(".data.own")', 'SEC(".rodata.own")'];

/** A program with random externs and data, each of which it uses. */
function randomSource(random: (bound: number) => number): string {
  const pick = (from: readonly string[]): string => from[random(from.length)] ?? '';
  const declared: string[] = [];
  const used: string[] = [];
  const add = (declaration: string, use: string): void => {
    declared.push(declaration);
    used.push(use);
  };
  const weak = (): string => pick(['', '__weak']);
  for (let i = random(5); i > 0; i--) {
    const parameters = pick(PARAMETERS);
    const call = Array.from({ length: parameters === '' ? 0 : parameters.split(',').length }, () => '0');
    add(
      `extern int kfunc${i}(${parameters === '' ? 'void' : parameters}) __ksym ${weak()};`,
      `kfunc${i}(${call.join(', ')})`,
    );
  }
  for (let i = random(4); i > 0; i--) {
    const type = pick(['const void', 'int', 'struct pair', 'const volatile long']);
    add(`extern ${type} ksym${i} __ksym ${weak()};`, `(long)&ksym${i}`);
  }
  for (let i = random(6); i > 0; i--) {
    const isText = random(3) === 0;
    const name = `CONFIG_${pick(['A', 'Z', 'M'])}${i}`;
    const declaration = isText ? `char ${name}[${random(20) + 1}]` : `${pick(KCONFIG_TYPES)} ${name}`;
    add(`extern ${declaration} __kconfig ${weak()};`, isText ? `${name}[0]` : name);
  }
  for (let i = random(7); i > 0; i--) {
    const type = pick(DATA_TYPES);
    const initial = type.startsWith('struct') ? pick(['', ' = {1}']) : pick(['', ' = 1']);
    const isStatic = random(3) === 0;
    const attributes = isStatic ? '' : pick(['', '__hidden', '__weak']);
    add(
      `${isStatic ? 'static ' : ''}volatile ${type} data${i} ${pick(SECTIONS)} ${attributes}${initial};`,
      `(long)&data${i} + *(volatile char *)&data${i}`,
    );
  }
  for (let i = random(3); i > 0; i--) {
    // Not hidden: libbpf makes hidden functions static only when it loads them.
    const attributes = pick(['', '__weak ']);
    add(`${attributes}__attribute__((noinline)) int f${i}(int a) { return a + ${i}; }`, `f${i}(${i})`);
  }
  return [
    '#include "bpf.h"',
    'struct pair { int a; long b; };',
    'struct packed { char a; int b; } __attribute__((packed));',
    ...declared,
    `SEC("socket") int program(void *context) { return ${['0', ...used].join(' + ')}; }`,
    'char _license[] SEC("license") = "GPL";\n',
  ].join('\n');
}

needs('clang', 'gcc', 'libbpf').describe('random objects', () => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'random-objects-'));
    const program = [join(TESTDATA, 'open-object.c'), '-l:libbpf.so.1'];
    execFileSync('gcc', ['-O1', '-o', join(dir, 'open-object'), ...program], { stdio: 'pipe' });
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test('have the bytes that libbpf has after opening them', () => {
    const random = seeded(11);
    const object = join(dir, 'o');
    for (let i = 0; i < OBJECTS; i++) {
      const source = randomSource(random);
      writeFileSync(join(dir, 'o.c'), source);
      const flags = ['-g', '-O2', '-w', '-target', 'bpf', '-I', TESTDATA, '-c'];
      execFileSync('clang', [...flags, join(dir, 'o.c'), '-o', object], { stdio: 'pipe' });
      const { status, stderr } = spawnSync(join(dir, 'open-object'), ['open', object, join(dir, 'theirs')]);
      const ours = prepareBtf(parseBpfObject(readFileSync(object)));
      expect({ source, status, log: String(stderr) }).toMatchObject({ status: 0 });
      expect([source, ours]).toEqual([source, new Uint8Array(readFileSync(join(dir, 'theirs')))]);
    }
  });
});
