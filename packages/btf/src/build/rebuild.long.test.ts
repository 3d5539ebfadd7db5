import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { dumpBytes, dumpFile, VMLINUX } from '../testing/bpftool.js';
import { type KernelFolder, kernels, kindCounts, readSpec } from '../testing/corpus.js';
import { LibbpfDedup } from '../testing/libbpf-dedup.js';
import { Builder } from './builder.js';
import { convertByteOrder } from './byte-order.js';
import { dedup } from './dedup/dedup.js';
import { merge } from './merge.js';

const CORPUS = kernels('corpus').map((kernel) => [kernel.release, kernel] as const);

let libbpf: LibbpfDedup;

beforeAll(() => {
  libbpf = new LibbpfDedup();
});
afterAll(() => libbpf.close());

function rebuilt(spec: Spec): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const all = globalThis.Array.from({ length: spec.typeCount }, (_, i) => i + 1);
  builder.addAllFrom(spec, all);
  return builder.marshal({ wideVlen: true });
}

function expectAsLibbpf(bytes: Uint8Array, base: Spec | null = null): void {
  const ours = Spec.parse(dedup(Spec.parse(bytes, { base })).bytes, { base });
  const theirs = Spec.parse(libbpf.run(bytes, base?.bytes), { base });
  // libbpf gives up on equal types that lead to themselves, which modules since Linux 6.18 have.
  if (ours.typeCount >= theirs.typeCount) expect(kindCounts(ours)).toEqual(kindCounts(theirs));
}

/** One in this many modules is deduplicated on its base: libbpf takes a third of a second for each. */
const EACH = 40;

function modulesOf(kernel: KernelFolder, base: Spec, each = 1): Spec[] {
  const names = kernel.modules.filter((_, i) => i % each === 0);
  return names.map((name) => readSpec(kernel.path(name), base));
}

test('there are kernels', () => {
  expect(CORPUS.length).toBeGreaterThan(0);
});

test.each(CORPUS)(
  'bpftool prints the same for vmlinux of %s after it was rebuilt and converted to big-endian',
  (_, kernel) => {
    const spec = readSpec(kernel.vmlinux);
    const dump = dumpFile(kernel.vmlinux);
    expect(Buffer.compare(Buffer.from(dumpBytes(rebuilt(spec)).join()), Buffer.from(dump.join()))).toBe(0);
    const big = convertByteOrder(spec, 'big');
    expect(Buffer.compare(Buffer.from(dumpBytes(big).join()), Buffer.from(dump.join()))).toBe(0);
  },
);

test.each(CORPUS)('all of %s is deduplicated as by libbpf', (_, kernel) => {
  const base = readSpec(kernel.vmlinux);
  expectAsLibbpf(merge([base, base]).bytes);
  // Since Linux 7.1 vmlinux has types twice: all modules merged exceed the default bound on comparisons.
  if (!/^[7-9]\./.test(kernel.release)) expectAsLibbpf(merge(modulesOf(kernel, base)).bytes);
  for (const module of modulesOf(kernel, base, EACH)) {
    expectAsLibbpf(module.bytes, base);
  }
});

test('two merged kernels are deduplicated as by libbpf, in both orders', () => {
  const all = CORPUS.map(([, kernel]) => readSpec(kernel.vmlinux));
  if (existsSync(VMLINUX)) all.push(readSpec(VMLINUX));
  for (const [i, one] of all.entries()) {
    for (const other of all.slice(i + 1)) {
      expectAsLibbpf(merge([one, other]).bytes);
      expectAsLibbpf(merge([other, one]).bytes);
    }
  }
});
