import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { children, mapReferences } from '../query/references.js';
import { Spec } from '../spec.js';
import { bpftoolJson, dumpBytes, dumpFile, VMLINUX } from '../testing/bpftool.js';
import { type KernelFolder, kernels, kindCounts, readSpec } from '../testing/corpus.js';
import { LibbpfDedup } from '../testing/libbpf-dedup.js';
import type { Type, TypeId } from '../types.js';
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

/** @param mayBeLess whether we may leave fewer types than libbpf, if each has the contents of those that it replaces. */
function expectAsLibbpf(bytes: Uint8Array, base: Spec | null = null, mayBeLess = false): void {
  const spec = Spec.parse(bytes, { base });
  const { bytes: result, ids } = dedup(spec);
  const ours = Spec.parse(result, { base });
  const theirs = Spec.parse(libbpf.run(bytes, base?.bytes), { base });
  if (mayBeLess && ours.typeCount < theirs.typeCount) expect(changedContents(spec, ours, ids)).toEqual([]);
  else expect(kindCounts(ours)).toEqual(kindCounts(theirs));
}

/** Returns the ids of types that dedup replaced by one of other contents, or that refers to types of other names. */
function changedContents(spec: Spec, result: Spec, ids: Int32Array): TypeId[] {
  const newId = (id: TypeId): TypeId => ids[id] ?? 0;
  const contents = (type: Type): string => bpftoolJson({ ...mapReferences(type, () => 0), id: 0 });
  const names = (parts: readonly TypeId[]): string => parts.map((id) => result.nameOf(id)).join();
  return [...spec.typeIds()].filter((id) => {
    const [type, kept] = [spec.typeById(id), result.typeById(newId(id))];
    if (declaredKinds(type).includes(kept.kind)) return type.name !== kept.name;
    return contents(type) !== contents(kept) || names(children(type).map(newId)) !== names(children(kept));
  });
}

/** Returns the kinds of the definitions that a declaration may become; none for other types. */
function declaredKinds(type: Type): readonly Type['kind'][] {
  if (type.kind === 'FWD') return [type.union ? 'UNION' : 'STRUCT'];
  const isEnum = type.kind === 'ENUM' || type.kind === 'ENUM64';
  return isEnum && type.values.length === 0 ? ['ENUM', 'ENUM64'] : [];
}

/** Whether modules of a release have types twice that lead to themselves, such as nfsd of 6.18. libbpf gives up on these. */
function repeatsTypes({ release }: KernelFolder): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 18);
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
  expectAsLibbpf(merge(modulesOf(kernel, base)).bytes, null, repeatsTypes(kernel));
  for (const module of modulesOf(kernel, base, EACH)) {
    expectAsLibbpf(module.bytes, base, repeatsTypes(kernel));
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
