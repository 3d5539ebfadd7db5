import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { whyNoBpftool } from '../testing/bpftool.js';
import { cOfBytes, compareC } from '../testing/bpftool-c.js';
import { compile, layoutAssertions, whyNoCompiler } from '../testing/c-compiler.js';
import { printC } from './print-c.js';

const SOURCE = fileURLToPath(new URL('testdata/hard-types.c', import.meta.url));

const skip = whyNoBpftool() ?? whyNoCompiler('gcc') ?? whyNoCompiler('pahole') ?? whyNoCompiler('objcopy');
if (skip !== null) console.warn(`skipped: ${skip}`);

(skip === null ? describe : describe.skip)('C of types that are packed, aligned or odd', () => {
  let folder: string;
  let spec: Spec;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'btf-hard-'));
    const object = join(folder, 'hard.o');
    const btf = join(folder, 'btf');
    execFileSync('gcc', ['-g', '-c', SOURCE, '-o', object]);
    execFileSync('pahole', ['-J', object]);
    execFileSync('objcopy', ['--dump-section', `.BTF=${btf}`, object]);
    spec = Spec.parse(new Uint8Array(readFileSync(btf)));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('equals bpftool’s text except for attributes that bpftool lacks', () => {
    const { unexplained, explained } = compareC(printC(spec), cOfBytes(spec.bytes));
    expect(unexplained).toEqual([]);
    expect(explained).toEqual({ 'mode of an enum': 2, 'size of a union': 3 });
  });

  test('has the sizes and offsets of the original types', () => {
    const { text, assertions } = layoutAssertions(spec);
    expect(assertions).toBeGreaterThan(70);
    expect(compile('gcc', text)).toEqual([]);
  });
});
