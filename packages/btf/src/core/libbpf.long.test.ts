import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { compactObject } from '../object/compact.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { kernels, readSpec } from '../testing/corpus.js';
import { allDebianObjects } from '../testing/debian-objects.js';
import { LibbpfRelocations } from '../testing/libbpf-relocations.js';
import { libbpfLines, ourLines } from '../testing/relocation-log.js';
import { resolveRelocations } from './resolve.js';

needs('gcc', 'libbpf 1.7', 'root', 'all-debian-objects').describe(
  'relocations of all of Debian’s objects',
  () => {
    let libbpf: LibbpfRelocations;
    beforeAll(() => {
      libbpf = new LibbpfRelocations();
    });
    afterAll(() => libbpf.close());

    const targets = [
      ...kernels('corpus').map(({ release, vmlinux }) => [release, vmlinux] as const),
      ['the running kernel', '/sys/kernel/btf/vmlinux'] as const,
    ];

    needs('vmlinux').test.each(targets)('are resolved against %s as libbpf resolves them', (_, path) => {
      const kernel = readSpec(path);
      const objects = allDebianObjects();
      const logs = libbpf.run(
        path,
        objects.map(({ bytes }) => compactObject(bytes)),
      );
      const count: Record<string, number> = { objects: objects.length };
      for (const [i, { name, bytes }] of objects.entries()) {
        const object = parseBpfObject(bytes);
        const resolution = resolveRelocations(object, { kernel });
        expect([name, ...ourLines(resolution, object.spec, kernel)]).toEqual([
          name,
          ...libbpfLines(logs[i] ?? []),
        ]);
        for (const { outcome } of resolution.relocations) count[outcome] = (count[outcome] ?? 0) + 1;
      }
      expect(count['objects']).toBeGreaterThan(200);
    });
  },
);
