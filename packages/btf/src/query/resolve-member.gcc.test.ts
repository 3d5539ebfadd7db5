import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '../spec.js';
import { alignof } from './alignof.js';
import { typeByName } from './names.js';
import { resolveMember } from './resolve-member.js';
import { sizeof } from './sizeof.js';

// GCC 12 writes the dimensions of arrays in reverse: `grid` has equal ones.
const TYPES = `
struct inner { char c; long l; };
struct other { short s; int values[3]; };
typedef struct inner inner_t;
union either { int i; char text[7]; };
struct packed { char c; long l; short s; } __attribute__((packed));
struct fields { unsigned a : 3; unsigned b : 13; int c : 7; char rest; unsigned long wide : 40; };
struct outer {
  char first;
  union {
    struct { short x; const volatile inner_t deep; };
    struct { char y[5]; union { int z; struct { char p, q; }; }; };
  };
  struct inner grid[3][3];
  struct packed pk;
  struct fields bits;
  union either u;
  double d;
  _Bool b;
  enum { ONE, TWO } e;
  int (*call)(struct outer *);
  struct inner *behind;
  struct fields **twice;
  struct other flexible[];
};
`;

/** Paths in `struct outer`. Those with a pointer are read from the target of the last pointer. */
const PATHS: readonly (readonly [path: string, type: string, within: string])[] = [
  ['first', 'struct outer', 'first'],
  ['x', 'struct outer', 'x'],
  ['deep.l', 'struct outer', 'deep.l'],
  ['y[4]', 'struct outer', 'y[4]'],
  ['z', 'struct outer', 'z'],
  ['q', 'struct outer', 'q'],
  ['grid', 'struct outer', 'grid'],
  ['grid[2]', 'struct outer', 'grid[2]'],
  ['grid[2][1].l', 'struct outer', 'grid[2][1].l'],
  ['pk.l', 'struct outer', 'pk.l'],
  ['pk.s', 'struct outer', 'pk.s'],
  ['bits.rest', 'struct outer', 'bits.rest'],
  ['u.text[6]', 'struct outer', 'u.text[6]'],
  ['d', 'struct outer', 'd'],
  ['b', 'struct outer', 'b'],
  ['e', 'struct outer', 'e'],
  ['call', 'struct outer', 'call'],
  ['behind', 'struct outer', 'behind'],
  ['flexible[3].values[1]', 'struct outer', 'flexible[3].values[1]'],
  ['behind->l', 'struct inner', 'l'],
  ['twice[0]->rest', 'struct fields', 'rest'],
];

const BITFIELDS = ['a', 'b', 'c', 'wide'];
const SIZED = ['inner', 'other', 'packed', 'fields', 'outer'];

const program = `
#include <stddef.h>
#include <stdio.h>
#include <string.h>
${TYPES}
#define PLACE(type, path) printf("%zu %zu\\n", offsetof(type, path) * 8, sizeof(((type *)0)->path) * 8);
#define BITS(field) { struct fields f; memset(&f, 0, sizeof f); f.field = -1; scan(&f); }
static void scan(void *at) {
  int first = -1, count = 0;
  for (int i = 0; i < (int)sizeof(struct fields) * 8; i++)
    if (((unsigned char *)at)[i / 8] >> (i % 8) & 1) { if (first < 0) first = i; count++; }
  printf("%d %d\\n", first, count);
}
int main(void) {
  ${PATHS.map(([, type, path]) => `PLACE(${type}, ${path})`).join('\n  ')}
  ${BITFIELDS.map((name) => `BITS(${name})`).join('\n  ')}
  ${SIZED.map((name) => `printf("%zu %zu\\n", sizeof(struct ${name}), _Alignof(struct ${name}));`).join('\n  ')}
}
`;

needs('gcc', 'objcopy').describe('what gcc lays out', () => {
  let folder: string;
  let spec: Spec;
  let answers: string[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'btf-gcc-'));
    const file = (name: string): string => join(folder, name);
    writeFileSync(file('types.c'), `${TYPES}\nstruct outer *anchor;`);
    writeFileSync(file('program.c'), program);
    execFileSync('gcc', ['-gbtf', '-c', '-o', file('types.o'), file('types.c')]);
    execFileSync('objcopy', ['--dump-section', `.BTF=${file('btf')}`, file('types.o')]);
    execFileSync('gcc', ['-o', file('program'), file('program.c')]);
    spec = Spec.parse(new Uint8Array(readFileSync(file('btf'))));
    answers = execFileSync(file('program'), { encoding: 'utf8' }).trim().split('\n');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test('has the offsets and sizes that resolveMember finds', () => {
    const ours = PATHS.map(([path]) => {
      const { bitOffset, bitSize } = resolveMember(spec, `struct outer.${path}`);
      return `${bitOffset} ${bitSize}`;
    });
    expect(ours).toEqual(answers.slice(0, PATHS.length));
  });

  test('has the bits of bitfields that resolveMember finds', () => {
    const ours = BITFIELDS.map((name) => {
      const { bitOffset, bitSize, bitfield } = resolveMember(spec, `fields.${name}`);
      return [bitfield, `${bitOffset} ${bitSize}`];
    });
    expect(ours).toEqual(answers.slice(PATHS.length, PATHS.length + 4).map((answer) => [true, answer]));
  });

  test('has the sizes and alignments of sizeof and alignof', () => {
    const ours = SIZED.map((name) => {
      const { id } = typeByName(spec, name, 'STRUCT');
      return `${sizeof(spec, id)} ${alignof(spec, id)}`;
    });
    expect(ours).toEqual(answers.slice(PATHS.length + BITFIELDS.length));
  });
});
