import { readdirSync, readFileSync } from 'node:fs';

/** CpuTime is the CPU time of a process until now, of all of its threads, by two clocks of the kernel. */
export interface CpuTime {
  /** Exact to a nanosecond, but without the threads that have ended. */
  readonly schedUs: number;
  /** With the threads that have ended, but in ticks. */
  readonly statUs: number;
}

/** 100 ticks a second: USER_HZ of every architecture that Node supports. */
const TICK_US = 10_000;

/** readCpuTime reads the CPU time of a process. */
export function readCpuTime(pid: number): CpuTime {
  const tasks = `/proc/${pid}/task`;
  let ns = 0;
  for (const task of readdirSync(tasks)) {
    try {
      ns += Number(readFileSync(`${tasks}/${task}/schedstat`, 'latin1').split(' ')[0]);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  // The name of the program, in parentheses, may contain blanks.
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { schedUs: ns / 1000, statUs: (Number(fields[11]) + Number(fields[12])) * TICK_US };
}

/**
 * cpuUsBetween returns the CPU time between two readings, in microseconds. It is that of the threads that still exist,
 * unless the other clock shows that threads which ended meanwhile used more than its ticks can explain.
 */
export function cpuUsBetween(before: CpuTime, after: CpuTime): number {
  const sched = after.schedUs - before.schedUs;
  const stat = after.statUs - before.statUs;
  // User and system time are rounded separately, at both readings.
  return stat - sched > 4 * TICK_US ? stat : Math.max(sched, 0);
}

/** readRssKib reads the resident memory of a process, in KiB. */
export function readRssKib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has no memory: it has ended`);
  return Number(kib);
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}
