import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { PINNED_PROGRAMS } from 'test-tools/pinned-objects';
import { parseBpfObject } from '../object/bpf-object.js';
import { kernels, readSpec } from '../testing/corpus.js';
import { debianObjects } from '../testing/debian-objects.js';
import { LibbpfRelocations } from '../testing/libbpf-relocations.js';
import { libbpfLines, ourLines } from '../testing/relocation-log.js';
import type { CoreOutcome } from './resolution.js';
import { resolveRelocations } from './resolve.js';

needs('gcc', 'libbpf 1.7', 'root', 'debian-objects').describe('relocations of Debian’s objects', () => {
  let libbpf: LibbpfRelocations;
  beforeAll(() => {
    libbpf = new LibbpfRelocations();
  });
  afterAll(() => libbpf.close());

  const counts = (
    path: string,
    names: readonly string[],
  ): Partial<Record<CoreOutcome | 'objects', number>> => {
    const kernel = readSpec(path);
    const objects = debianObjects(names);
    const logs = libbpf.run(
      path,
      objects.map(({ bytes }) => bytes),
    );
    const count: Partial<Record<CoreOutcome | 'objects', number>> = { objects: objects.length };
    for (const [i, { name, bytes }] of objects.entries()) {
      const object = parseBpfObject(bytes);
      const resolution = resolveRelocations(object, { kernel });
      const theirs = libbpfLines(logs[i] ?? []);
      expect([name, ...ourLines(resolution, object.spec, kernel)]).toEqual([name, ...theirs]);
      for (const { outcome } of resolution.relocations) count[outcome] = (count[outcome] ?? 0) + 1;
    }
    return count;
  };

  needs('debian-kernels').test('are resolved against Debian’s kernel as libbpf resolves them', () => {
    const [kernel] = kernels('kernels');
    if (kernel === undefined) throw new Error('no BTF of a kernel');
    const count = counts(kernel.vmlinux, PINNED_PROGRAMS);
    expect(count.objects).toBe(PINNED_PROGRAMS.length);
    expect(count.RESOLVED).toBeGreaterThan(100);
  });

  needs('vmlinux').test('are resolved against the running kernel as libbpf resolves them', () => {
    const count = counts('/sys/kernel/btf/vmlinux', PINNED_PROGRAMS);
    expect(count.RESOLVED).toBeGreaterThan(100);
  });
});
