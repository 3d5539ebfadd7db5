import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfReadError } from '../format-error.js';
import { Spec } from '../spec.js';
import { assembleElf } from '../testing/assemble-elf.js';
import { bpftoolJson, dumpFile } from '../testing/bpftool.js';
import { assembleDistilled, DISTILLED_CASES } from '../testing/distilled-cases.js';
import { parseElfBtf } from './elf-btf.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'btf-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

needs('bpftool').test.each(DISTILLED_CASES.map((rows) => [rows.what, rows] as const))(
  'libbpf and we agree on the relocation of %s',
  (_, rows) => {
    const bytes = assembleDistilled(rows);
    const file = assembleElf(64, 'little', [
      { name: '.BTF', bytes: bytes.split },
      { name: '.BTF.base', bytes: bytes.distilled },
    ]);
    const paths = { file: join(folder, 'file'), base: join(folder, 'base') };
    writeFileSync(paths.file, file);
    writeFileSync(paths.base, bytes.base);
    const libbpf = attempt(() => dumpFile(paths.file, paths.base));
    const ours = attempt(() => [...parseElfBtf(file, { base: Spec.parse(bytes.base) })].map(bpftoolJson));
    if (rows.libbpfRefuses === true) {
      expect(libbpf).toBe('refused');
      expect(ours).not.toBe('refused');
    } else {
      expect(ours).toEqual(libbpf);
    }
  },
);

function attempt(read: () => string[]): string[] | 'refused' {
  try {
    return read();
  } catch (error) {
    // bpftool exits with a status, we throw a BtfFormatError. Anything else is a failure.
    const exited = typeof error === 'object' && error !== null && 'status' in error;
    if (exited || error instanceof BtfReadError) return 'refused';
    throw error;
  }
}
