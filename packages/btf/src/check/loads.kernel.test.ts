import { release } from 'node:os';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { parseBpfObject } from '../object/bpf-object.js';
import { readPrograms } from '../object/programs.js';
import type { Spec } from '../spec.js';
import { CHECK_OBJECTS, checkBytes } from '../testing/check-case.js';
import { contradictionsOf } from '../testing/compare-loads.js';
import { readSpec } from '../testing/corpus.js';
import { debianObjects } from '../testing/debian-objects.js';
import { LibbpfLoads } from '../testing/libbpf-loads.js';

/** Programs whose objects guard what some kernels lack, and objects that new kernels refuse. */
const PROGRAMS = [
  'bindsnoop',
  'biolatency',
  'biosnoop',
  'cachestat',
  'filelife',
  'fsslower',
  'mdflush',
  'runqlat',
  'runqlen',
  'xdp-monitor',
];

needs('gcc', 'libbpf 1.7', 'root', 'vmlinux').describe('verdicts and the running kernel', () => {
  let loads: LibbpfLoads;
  let kernel: Spec;
  beforeAll(() => {
    loads = new LibbpfLoads();
    kernel = readSpec('/sys/kernel/btf/vmlinux');
  });
  afterAll(() => loads.close());

  const compare = (bytes: Uint8Array): ReadonlyMap<string, number> => {
    const object = parseBpfObject(bytes);
    const names = readPrograms(object)
      .filter(({ isSubprogram }) => !isSubprogram)
      .map(({ name }) => name);
    const results = loads.run(bytes, names);
    const { contradictions, counts } = contradictionsOf(
      object,
      kernel,
      runningVersion(),
      names.flatMap((name, i) => (results[i] === undefined ? [] : [{ name, load: results[i] }])),
    );
    expect(contradictions).toEqual([]);
    expect(results).toHaveLength(names.length);
    return counts;
  };

  needs().test.each(CHECK_OBJECTS)('agree on %s.bpf.o', (name) => {
    expect(compare(checkBytes(name)).size).toBeGreaterThan(0);
  });

  needs('debian-objects').test.each(PROGRAMS)('agree on the objects of Debian’s %s', (name) => {
    for (const { bytes } of debianObjects([name])) compare(bytes);
  });
});

/** The version of the running kernel as in `LINUX_KERNEL_VERSION`, as far as its release says it. */
function runningVersion(): number {
  const [, major = '0', minor = '0', patch = '0'] = /^(\d+)\.(\d+)\.?(\d+)?/.exec(release()) ?? [];
  return (Number(major) << 16) | (Number(minor) << 8) | Math.min(Number(patch), 255);
}
