import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { checkObject } from '../check/check-object.js';
import { compactObject } from '../object/compact.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { kernels, readSpec } from '../testing/corpus.js';
import { allDebianObjects } from '../testing/debian-objects.js';
import { LibbpfRelocations } from '../testing/libbpf-relocations.js';
import { libbpfLines, ourLines } from '../testing/relocation-log.js';
import { resolveRelocations } from './resolve.js';

/** libbpf looks in the running kernel for externs and struct_ops, and may stop before the relocations if it lacks one. */
const STOPPED =
  /^libbpf: (?:extern .*(?:not found in kernel|\(strong\): not resolved)|struct_ops init_kern: .* is not found in kernel BTF)/;

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
      const running = readSpec('/sys/kernel/btf/vmlinux');
      let compared = 0;
      for (const [i, { name, bytes }] of objects.entries()) {
        const object = parseBpfObject(bytes);
        const log = logs[i] ?? [];
        const theirs = libbpfLines(log);
        if (theirs.length === 0 && log.some((line) => STOPPED.test(line))) {
          const { verdict } = checkObject(object, { kernel: running });
          expect([name, ['UNKNOWN', 'AT_RISK', 'FAILS'].includes(verdict)]).toEqual([name, true]);
          continue;
        }
        const resolution = resolveRelocations(object, { kernel });
        expect([name, ...ourLines(resolution, object.spec, kernel)]).toEqual([name, ...theirs]);
        compared += 1;
      }
      expect(compared).toBeGreaterThan(200);
    });
  },
);
