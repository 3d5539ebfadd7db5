import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BtfService } from '@btfd/api';
import { encode, pathOf } from '../event-loop/caller.js';
import type { Lab } from '../peers/lab.js';
import { programPath } from '../peers/programs.js';
import type { Costs, OpenProbe, Row } from '../run/row.js';
import { costsOf } from './library.js';
import { probeOf } from './wire-probe.js';

const run = promisify(execFile);
const DRIVER = fileURLToPath(new URL('../peers/objects-driver.js', import.meta.url));

/** DriverCosts are a number for each repetition. */
export interface DriverCosts {
  readonly cpuUs: readonly number[];
  readonly wallUs: readonly number[];
}

interface DriverResult {
  /** The costs of all objects, measured as a whole. */
  readonly together: DriverCosts;
  /** The costs of each object. */
  readonly objects: readonly DriverCosts[];
  readonly result: string;
}

/** Returns the costs of a round: those of all objects together, or those of the slowest. */
type Summary = (result: DriverResult) => Costs;

const togetherCosts: Summary = ({ together }) => costsOf(together.cpuUs, together.wallUs);

/** slowestCosts returns the costs of the slowest object. */
export function slowestCosts({ objects }: Pick<DriverResult, 'objects'>): Costs {
  return objects
    .map(({ cpuUs, wallUs }) => costsOf(cpuUs, wallUs))
    .reduce((slowest, costs) => ((costs.cpuUs ?? 0) > (slowest.cpuUs ?? 0) ? costs : slowest));
}

interface Work {
  /** The folder of the objects. */
  readonly folderOf: (lab: Lab) => string;
  readonly full: number;
  readonly quick: number;
}

const ALL: Work = { folderOf: (lab) => lab.objects(), full: 12, quick: 8 };

/** Returns a probe that opens objects in a new process each round, several times. */
function probe(commandOf: (lab: Lab) => readonly string[], summary: Summary, work = ALL): OpenProbe {
  return async (lab) => {
    const [program = '', ...args] = commandOf(lab);
    const files = [lab.vmlinux(), work.folderOf(lab)];
    const count = String(lab.quick ? work.quick : work.full);
    return {
      async measure() {
        const { stdout } = await run(program, [...args, ...files, count]);
        const driven: DriverResult = JSON.parse(stdout);
        return { costs: summary(driven), result: driven.result };
      },
    };
  };
}

const libbpf = (summary: Summary): OpenProbe => probe(() => [programPath('libbpf-objects')], summary);

const own = (mode: 'relocate' | 'check', summary: Summary, work = ALL): OpenProbe =>
  probe(({ nodeArgs }) => [process.execPath, ...nodeArgs, DRIVER, mode], summary, work);

/** An object of 48 kB with 34 relocations. */
const RUNQLAT = 'runqlat-0.bpf.o';

/** Returns a folder with one object. */
function runqlatFolder(lab: Lab): string {
  const folder = lab.newFile('runqlat');
  mkdirSync(folder);
  copyFileSync(join(lab.objects(), RUNQLAT), join(folder, RUNQLAT));
  return folder;
}

/** Checks the object through the daemon, without modules, as the library does. */
const throughDaemon: OpenProbe = async (lab) => {
  const { checkObject } = BtfService.method;
  const object = readFileSync(join(lab.objects(), RUNQLAT));
  const modules = { scope: { case: 'none', value: true } } as const;
  const call = { path: pathOf(checkObject), request: encode(checkObject.input, { object, modules }) };
  return probeOf(lab, await lab.daemon(), { scenario: 'stream', call, full: 400, quick: 100 });
};

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
  {
    name: 'objects/daemon',
    title: 'check an object of 48 kB through the daemon; with the library',
    subjects: {
      btfd: throughDaemon,
      library: own('check', togetherCosts, { folderOf: runqlatFolder, full: 400, quick: 200 }),
    },
    goals: [{ metric: 'cpuUs', peer: 'library', atMost: 3 }],
    guards: [{ metric: 'cpuUs', peer: 'library' }],
  },
];
