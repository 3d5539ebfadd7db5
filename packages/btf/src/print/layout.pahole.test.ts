import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { typeByName } from '../query/names.js';
import { Spec } from '../spec.js';
import { kernels, readSpec } from '../testing/corpus.js';
import { checkCounts, compareLayouts } from '../testing/pahole-layouts.js';
import { randomLayouts } from '../testing/random-layouts.js';
import { formatLayout } from './layout-text.js';
import { layoutOf } from './layout.js';

const [kernel] = kernels('kernels');
const HARD_TYPES = fileURLToPath(new URL('testdata/hard-types.c', import.meta.url));

/** The number of random specs, with 60 structs and unions each. */
const SEEDS = 20;

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'btf-layouts-'));
  path = join(folder, 'btf');
});
afterAll(() => rmSync(folder, { recursive: true }));

needs('pahole').describe('the layout', () => {
  // layout.long.test.ts compares other kernels.
  needs('debian-kernels').test('of each struct and union of a kernel equals pahole’s', () => {
    const { release = '', vmlinux = '' } = kernel ?? {};
    checkCounts(release, compareLayouts(vmlinux, readSpec(vmlinux)));
  });

  needs('gcc').test('of types that are packed, aligned or odd equals pahole’s', () => {
    const object = join(folder, 'hard.o');
    execFileSync('gcc', ['-g', '-c', HARD_TYPES, '-o', object]);
    execFileSync('pahole', [`--btf_encode_detached=${path}`, object]);
    const spec = readSpec(path);
    const { others, unexplained } = compareLayouts(path, spec);
    // pahole cannot print arrays of pointers to functions, and functions that return one.
    expect({ others, unexplained }).toEqual({
      others: {},
      unexplained: [expect.stringContaining('struct fn')],
    });
    const text = formatLayout(layoutOf(spec, typeByName(spec, 'fn', 'STRUCT').id));
    expect(text.split('\n').filter((line) => line.includes('(*'))).toEqual([
      '\tint                        (*plain)(void);       /*     0     8 */',
      '\tint                        (*arr[3])(int, char *); /*     8    24 */',
      '\tint                        (* (*ret)(int))(long int); /*    32     8 */',
      '\tvolatile int               (*pa)[4];             /*    48     8 */',
      '\tint                        (*fp[2][2])(struct fn *, ...); /*   152    32 */',
    ]);
  });

  test('of random structs with bitfields equals pahole’s, also if the bitfields are old', () => {
    let total = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const bytes = randomLayouts(seed, false);
      writeFileSync(path, bytes);
      const spec = Spec.parse(bytes);
      const { equal, ...rest } = compareLayouts(path, spec);
      expect(rest).toEqual({ others: {}, unexplained: [] });
      // pahole does not know old bitfields.
      expect(textsOf(Spec.parse(randomLayouts(seed, true)))).toEqual(textsOf(spec));
      total += equal;
    }
    expect(total).toBeGreaterThan(SEEDS * 50);
  });
});

function textsOf(spec: Spec): string[] {
  return [...spec].flatMap(({ kind, id }) =>
    kind === 'STRUCT' || kind === 'UNION' ? [formatLayout(layoutOf(spec, id))] : [],
  );
}
