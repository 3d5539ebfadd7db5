import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { relocateSplit } from '../elf/relocate-split.js';
import { children, mapReferences } from '../query/references.js';
import { Spec } from '../spec.js';
import { assembleElf } from '../testing/assemble-elf.js';
import { bpftoolJson, dumpFile } from '../testing/bpftool.js';
import { kernels, readSpec } from '../testing/corpus.js';
import { Libbpf } from '../testing/libbpf.js';
import type { TypeId } from '../types.js';
import { distillBase } from './distill-base.js';

const MODULES = ['bonding', 'nf_conntrack', 'veth', 'xfs'];

/** A type as JSON. References are kind and name of named types, and the whole type for anonymous ones. */
function textOf(spec: Spec, id: TypeId): string {
  const type = spec.typeById(id);
  const references = children(type).map((child) =>
    spec.nameOf(child) === '' && child !== 0
      ? textOf(spec, child)
      : `${spec.kindOf(child)} ${spec.nameOf(child)}`,
  );
  return `${bpftoolJson({ ...mapReferences(type, () => 0), id: 0 })} ${references.join()}`;
}

needs('gcc', 'libbpf 1.7', 'bpftool', 'debian-kernels').describe('distillBase', () => {
  let folder: string;
  let libbpf: Libbpf;
  let base: Spec;
  let modules: Spec[];

  beforeAll(() => {
    const [kernel] = kernels('kernels');
    if (kernel === undefined) throw new Error('no BTF of a kernel');
    folder = mkdtempSync(join(tmpdir(), 'distilled-'));
    libbpf = new Libbpf();
    base = readSpec(kernel.vmlinux);
    modules = MODULES.map((name) => readSpec(kernel.path(name), base));
  });
  afterAll(() => {
    libbpf.close();
    rmSync(folder, { recursive: true });
  });

  test('writes the bytes that libbpf writes for modules of a kernel', () => {
    for (const module of modules) {
      const { bytes, baseBytes } = distillBase(module);
      const theirs = libbpf.distill(module.bytes, base.bytes);
      expect(Buffer.compare(baseBytes, theirs.baseBytes)).toBe(0);
      expect(Buffer.compare(bytes, theirs.bytes)).toBe(0);
      expect(baseBytes.length).toBeLessThan(base.bytes.length / 20);
    }
  });

  test('makes split BTF that relocateSplit moves back onto the kernel, with the same types', () => {
    for (const module of modules) {
      const { bytes, baseBytes, ids } = distillBase(module);
      const distilled = Spec.parse(bytes, { base: Spec.parse(baseBytes) });
      const moved = relocateSplit(distilled, base);
      const shift = base.endTypeId - distilled.firstTypeId;
      const different = [...module.typeIds()].filter(
        (id) => textOf(module, id) !== textOf(moved, (ids[id] ?? 0) + shift),
      );
      expect(different).toEqual([]);
    }
  });

  test('makes a module that bpftool moves onto the kernel as we do', () => {
    const [module] = modules;
    if (module === undefined) throw new Error('no module');
    const { bytes, baseBytes } = distillBase(module);
    const sections = [
      { name: '.BTF', bytes },
      { name: '.BTF.base', bytes: baseBytes },
    ];
    const path = join(folder, 'module.ko');
    const basePath = join(folder, 'vmlinux');
    writeFileSync(path, assembleElf(64, 'little', sections));
    writeFileSync(basePath, base.bytes);
    const distilled = Spec.parse(bytes, { base: Spec.parse(baseBytes) });
    expect([...relocateSplit(distilled, base)].map(bpftoolJson)).toEqual(dumpFile(path, basePath));
  });
});
