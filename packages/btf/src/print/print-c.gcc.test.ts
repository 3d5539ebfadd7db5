import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { compareC, needs } from 'test-tools';
import { Spec } from '../spec.js';

import { cOfBytes } from '../testing/bpftool-c.js';
import { compile, layoutAssertions } from '../testing/c-compiler.js';
import { printC } from './print-c.js';

const SOURCE = fileURLToPath(new URL('testdata/hard-types.c', import.meta.url));

needs('gcc', 'pahole').describe('C of types that are packed, aligned or odd', () => {
  let folder: string;
  let spec: Spec;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'btf-hard-'));
    const object = join(folder, 'hard.o');
    const btf = join(folder, 'btf');
    execFileSync('gcc', ['-g', '-c', SOURCE, '-o', object]);
    execFileSync('pahole', [`--btf_encode_detached=${btf}`, object]);
    spec = Spec.parse(new Uint8Array(readFileSync(btf)));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  needs('bpftool').test('equals bpftool’s text except for attributes that bpftool lacks', () => {
    // Instead of `long double`, which has another size for BPF, there is a type of the same size.
    const standIn = /^typedef unsigned __int128 long_double\b[^\n]*\n+/m;
    const text = printC(spec);
    expect(text).toMatch(standIn);
    const asInC = text.replace(standIn, '').replaceAll('long_double ', 'long double ');
    const { unexplained, explained } = compareC(asInC, cOfBytes(spec.bytes));
    expect(unexplained).toEqual([]);
    expect(explained).toEqual({
      'enum that bpftool omits': 0,
      'member without a name': 0,
      'size of a union': 2,
      'packed struct': 1,
      'members as bytes': 0,
      'name that is a keyword': 0,
      'va_list by value': 0,
      'size of an enum': 1,
    });
  });

  test('has the sizes and offsets of the original types', () => {
    const { text, assertions } = layoutAssertions(spec);
    expect(assertions).toBeGreaterThan(70);
    expect(compile('gcc', text)).toEqual([]);
  });
});
