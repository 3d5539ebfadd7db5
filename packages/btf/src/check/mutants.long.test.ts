import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { readSpec } from '../testing/corpus.js';
import { debianObjects } from '../testing/debian-objects.js';
import { exerciseCheck } from '../testing/exercise-check.js';
import { mutate } from '../testing/mutate.js';

/** Mutants of each object. */
const MUTANTS = 40;

needs('vmlinux', 'debian-objects').test(
  "mutants of Debian's objects give a report or a typed error on a real kernel",
  () => {
    const random = seeded(Number(process.env['BTFD_FUZZ_SEED'] ?? 3));
    const kernel = readSpec('/sys/kernel/btf/vmlinux');
    let reports = 0;
    for (const { name, bytes } of debianObjects()) {
      for (let i = 0; i < MUTANTS; i++) {
        const before = random(2 ** 30);
        try {
          reports += exerciseCheck(mutate(bytes, random), { kernel });
        } catch (error) {
          throw new Error(`mutant ${i} of ${name}, after ${before}`, { cause: error });
        }
      }
    }
    expect(reports).toBeGreaterThan(1000);
  },
);
