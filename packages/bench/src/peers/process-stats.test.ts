import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { cpuUsBetween, readCpuTime, readRssKib } from './process-stats.js';

/** Works in the main thread, or in a thread that ends. Prints the CPU time of the process, and waits. */
const WORK = `
import { Worker } from 'node:worker_threads';
const BURN = 'const start = process.cpuUsage(); ' +
  'for (let used = 0; used < 400_000; ) { const { user, system } = process.cpuUsage(start); used = user + system; }';
if (process.argv[1] === 'thread') {
  const worker = new Worker(BURN, { eval: true });
  await new Promise((resolve) => worker.once('exit', resolve));
} else {
  eval(BURN);
}
process.stdin.resume();
const { user, system } = process.cpuUsage();
console.log(user + system, process.memoryUsage.rss());`;

const NOTHING = { schedUs: 0, statUs: 0 };
/** The two clocks of the kernel, and the work between the two readings. */
const TOLERANCE_US = 100_000;

test.each(['main', 'thread'])(
  'the CPU time of a process includes its work, in the %s that may have ended',
  async (where) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', WORK, where], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const [line]: [Buffer] = (await once(child.stdout, 'data')) as [Buffer];
      const [cpuUs = 0, rss = 0] = String(line).split(' ').map(Number);
      const pid = child.pid ?? 0;
      const measured = cpuUsBetween(NOTHING, readCpuTime(pid));
      expect(cpuUs).toBeGreaterThan(400_000);
      expect(Math.abs(measured - cpuUs)).toBeLessThan(TOLERANCE_US);
      expect(readRssKib(pid) / (rss / 1024)).toBeGreaterThan(0.5);
      expect(readRssKib(pid) / (rss / 1024)).toBeLessThan(2);
    } finally {
      child.kill('SIGKILL');
    }
  },
);

test('The exact clock counts, unless threads have ended', () => {
  const before = { schedUs: 1_000, statUs: 10_000 };
  expect(cpuUsBetween(before, { schedUs: 6_500, statUs: 20_000 })).toBe(5_500);
  expect(cpuUsBetween(before, { schedUs: 6_500, statUs: 80_000 })).toBe(70_000);
});
