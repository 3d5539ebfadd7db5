import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Lab } from '../peers/lab.js';
import { programPath } from '../peers/programs.js';
import type { Costs, OpenProbe, Row } from '../run/row.js';
import { costsOf } from './library.js';

const run = promisify(execFile);
const DRIVER = fileURLToPath(new URL('../peers/objects-driver.js', import.meta.url));

/** ObjectCosts are the costs of one object: a number for each repetition. */
export interface ObjectCosts {
  readonly cpuUs: readonly number[];
  readonly wallUs: readonly number[];
}

interface DriverResult {
  readonly objects: readonly ObjectCosts[];
  readonly result: string;
}

/** Returns the costs of a round: those of all objects together, or those of the slowest. */
type Summary = (objects: readonly ObjectCosts[]) => Costs;

/** togetherCosts returns the costs of all objects together. */
export function togetherCosts(objects: readonly ObjectCosts[]): Costs {
  return costsOf(sums(objects.map(({ cpuUs }) => cpuUs)), sums(objects.map(({ wallUs }) => wallUs)));
}

/** slowestCosts returns the costs of the slowest object. */
export function slowestCosts(objects: readonly ObjectCosts[]): Costs {
  return objects
    .map(({ cpuUs, wallUs }) => costsOf(cpuUs, wallUs))
    .reduce((slowest, costs) => ((costs.cpuUs ?? 0) > (slowest.cpuUs ?? 0) ? costs : slowest));
}

/** Returns the sum of each repetition. */
function sums(numbers: readonly (readonly number[])[]): number[] {
  const [first = []] = numbers;
  return first.map((_, index) => numbers.reduce((sum, row) => sum + (row[index] ?? 0), 0));
}

/** Returns a probe that opens all objects in a new process each round, several times. */
function probe(commandOf: (lab: Lab) => readonly string[], summary: Summary): OpenProbe {
  return async (lab) => {
    const [program = '', ...args] = commandOf(lab);
    const files = [lab.vmlinux(), lab.objects()];
    return {
      async measure() {
        const { stdout } = await run(program, [...args, ...files, lab.quick ? '8' : '12']);
        const { objects, result }: DriverResult = JSON.parse(stdout);
        return { costs: summary(objects), result };
      },
    };
  };
}

const libbpf = (summary: Summary): OpenProbe => probe(() => [programPath('libbpf-objects')], summary);

const own = (mode: 'relocate' | 'check', summary: Summary): OpenProbe =>
  probe(({ nodeArgs }) => [process.execPath, ...nodeArgs, DRIVER, mode], summary);

/** OBJECT_ROWS compare @btfd/btf with libbpf on BPF objects. The BTF of the kernel is parsed before. */
export const OBJECT_ROWS: readonly Row[] = [
  {
    name: 'objects/relocate',
    title: 'open Debian’s BPF objects and resolve their CO-RE relocations',
    subjects: { btfd: own('relocate', togetherCosts), libbpf: libbpf(togetherCosts) },
    goals: [{ metric: 'cpuUs', peer: 'libbpf', atMost: 1 }],
    guards: [{ metric: 'cpuUs', peer: 'libbpf' }],
  },
  {
    name: 'objects/check',
    title: 'check these objects with `checkObject`; libbpf opens and relocates them',
    subjects: { btfd: own('check', togetherCosts), libbpf: libbpf(togetherCosts) },
    goals: [
      { metric: 'cpuUs', peer: null, atMost: 600_000 },
      { metric: 'cpuUs', peer: 'libbpf', atMost: 1 },
    ],
    guards: [{ metric: 'cpuUs', peer: 'libbpf' }],
  },
  {
    name: 'objects/slowest',
    title: 'the slowest of these objects',
    subjects: { btfd: own('check', slowestCosts), libbpf: libbpf(slowestCosts) },
    goals: [{ metric: 'cpuUs', peer: null, atMost: 15_000 }],
  },
];
