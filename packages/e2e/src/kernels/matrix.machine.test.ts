import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import type { Check } from './checks/check.js';
import { MODULES } from './checks/modules.js';
import { READING } from './checks/reading.js';
import { VALIDATING } from './checks/validating.js';
import { KERNELS } from './kernel-table.js';
import { Lab } from './lab.js';

const CHECKS: readonly Check[] = [...READING, ...MODULES, ...VALIDATING];

/** The series to boot, separated by commas. Default: all. */
const wanted = process.env['BTFD_KERNELS']?.split(',') ?? KERNELS.map(({ series }) => series);

needs('qemu-system-x86_64', 'debian-machines').describe('btfd on Debian’s kernels', () => {
  describe.each(KERNELS.filter(({ series }) => wanted.includes(series)))('kernel $series', (facts) => {
    let lab: Lab | undefined;

    beforeAll(async () => {
      lab = await Lab.open(facts);
    });
    afterAll(async () => {
      await lab?.[Symbol.asyncDispose]();
    });

    const applying = CHECKS.filter(({ except }) => (except?.(facts) ?? null) === null);
    test.each(applying)('$title', async ({ run }) => {
      if (lab === undefined) throw new Error('no machine');
      await run(lab);
      expect(lab.machine.warnings()).toEqual([]);
    });
  });
});
