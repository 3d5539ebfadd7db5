import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { CHECKS } from './checks/index.js';
import { KERNELS } from './kernel-table.js';
import { Lab } from './lab.js';
import { ResultsOfRun } from './results.js';

/** The series to boot, separated by commas. Default: all. */
const wanted = process.env['BTFD_KERNELS']?.split(',') ?? KERNELS.map(({ series }) => series);

/** Prints a line at once. jest prints its own at the end of the file, after many minutes. */
function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

needs('qemu-system-x86_64', 'debian-machines').describe('btfd on Debian’s kernels', () => {
  describe.each(KERNELS.filter(({ series }) => wanted.includes(series)))('kernel $series', (facts) => {
    const results = new ResultsOfRun(
      facts.series,
      CHECKS.map(({ title }) => title),
    );
    let lab: Lab | undefined;

    beforeAll(async () => {
      lab = await Lab.open(facts);
    });
    afterAll(async () => {
      await lab?.[Symbol.asyncDispose]();
    });

    for (const { title, except, run } of CHECKS) {
      const exception = except?.(facts) ?? null;
      if (exception !== null) {
        results.add(title, exception);
        continue;
      }
      test(title, async () => {
        if (lab === undefined) throw new Error('no machine');
        const { machine } = lab;
        const start = performance.now();
        results.start(title);
        try {
          await run(lab);
          expect(machine.warnings()).toEqual([]);
        } catch (error) {
          const [line = ''] = String(error).split('\n');
          progress(`${facts.series} ✕ ${title}: ${line}; console: ${machine.keepConsole()}`);
          throw error;
        }
        results.add(title, null);
        results.write(lab);
        progress(`${facts.series} ✓ ${title} (${Math.round((performance.now() - start) / 1000)} s)`);
      });
    }
  });
});
