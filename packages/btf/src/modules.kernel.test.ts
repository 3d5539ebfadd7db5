import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { readElfBtf } from './elf/elf-btf.js';
import type { Spec } from './spec.js';
import { bpftoolJson, dumpFile } from './testing/bpftool.js';
import { elfFolder, kernels, readSpec } from './testing/corpus.js';

const [kernel] = kernels('kernels');

needs('debian-kernels').describe('a Debian kernel and a dozen modules', () => {
  const { vmlinux = '', modules = [], path = String } = kernel ?? {};
  let base: Spec;

  beforeAll(() => {
    expect(modules.length).toBeGreaterThanOrEqual(12);
    base = readSpec(vmlinux);
  });

  needs('bpftool').test.each(modules)('%s: every type equals the output of bpftool', (module) => {
    const spec = readSpec(path(module), base);
    expect([...spec].map(bpftoolJson)).toEqual(dumpFile(path(module), vmlinux));
  });

  test.each(['vmlinux', ...modules.map((module) => `${module}.ko`)])(
    'the BTF in the ELF file %s equals the section that objcopy dumps',
    (file) => {
      const elf = kernel === undefined ? '' : join(elfFolder(kernel), file);
      const { btf, distilledBase, pointerSize } = readElfBtf(new Uint8Array(readFileSync(elf)));
      expect(Buffer.compare(btf, readFileSync(path(file.replace(/[.]ko$/, ''))))).toBe(0);
      expect([distilledBase, pointerSize]).toEqual([null, 8]);
    },
  );
});
