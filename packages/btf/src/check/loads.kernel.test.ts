import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { CHECK_OBJECTS, checkBytes } from '../testing/check-case.js';
import { LoadComparison } from '../testing/compare-loads.js';
import { debianObjects } from '../testing/debian-objects.js';
import { renameMembers } from '../testing/rename-members.js';

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
  let loads: LoadComparison;
  beforeAll(() => {
    loads = new LoadComparison();
  });
  afterAll(() => loads.close());

  needs().test.each(CHECK_OBJECTS)('agree on %s.bpf.o', (name) => {
    const { contradictions, counts } = loads.compare(checkBytes(name));
    expect(contradictions).toEqual([]);
    expect(counts.size).toBeGreaterThan(0);
  });

  needs('debian-objects').test.each(PROGRAMS)('agree on the objects of Debian’s %s', (name) => {
    const contradictions = debianObjects([name]).flatMap(({ bytes }) => loads.compare(bytes).contradictions);
    expect(contradictions).toEqual([]);
  });

  needs('debian-objects').test('agree on objects that use members which the kernel does not have', () => {
    const random = seeded(4);
    let renamed = 0;
    for (const { name, bytes } of debianObjects(PROGRAMS)) {
      const object = renameMembers(bytes, loads.kernel, random);
      const { contradictions } = loads.compare(object.bytes);
      expect([name, object.names, ...contradictions]).toEqual([name, object.names]);
      renamed += object.names.length;
    }
    expect(renamed).toBeGreaterThan(5);
  });
});
