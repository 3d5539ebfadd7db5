import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { LoadComparison } from '../testing/compare-loads.js';
import { allDebianObjects, type DebianObject, debianObjects } from '../testing/debian-objects.js';
import { renameMembers } from '../testing/rename-members.js';

/** Rounds of different names that are replaced in all objects. */
const ROUNDS = 10;

needs('gcc', 'libbpf 1.7', 'root', 'vmlinux', 'debian-objects', 'all-debian-objects').describe(
  'verdicts and the running kernel',
  () => {
    let loads: LoadComparison;
    beforeAll(() => {
      loads = new LoadComparison();
    });
    afterAll(() => loads.close());

    /** Returns the number of programs that the kernel accepted. */
    const compare = ({ name, bytes }: DebianObject, words: readonly string[] = []): number => {
      const { contradictions, counts } = loads.compare(bytes);
      expect([name, words, ...contradictions]).toEqual([name, words]);
      let loaded = 0;
      for (const [key, count] of counts) if (key.endsWith(' loaded')) loaded += count;
      return loaded;
    };

    needs().test('agree on all of Debian’s objects', () => {
      const loaded = allDebianObjects().map((object) => compare(object));
      expect(loaded.reduce((sum, count) => sum + count)).toBeGreaterThan(100);
    });

    needs().test('agree on objects that use members which the kernel does not have', () => {
      const random = seeded(5);
      let loaded = 0;
      for (let round = 0; round < ROUNDS; round++) {
        for (const { name, bytes } of debianObjects()) {
          const renamed = renameMembers(bytes, loads.kernel, random);
          if (renamed.names.length > 0) loaded += compare({ name, bytes: renamed.bytes }, renamed.names);
        }
      }
      expect(loaded).toBeGreaterThan(100);
    });
  },
);
