import { Builder } from '@btfd/btf';
import { driverCommand, runDriver, type DriverName } from '../peers/drivers.js';
import { VMLINUX, type Lab } from '../peers/lab.js';
import { requireRoot } from '../peers/programs.js';
import type { Costs, OpenProbe, Row } from '../run/row.js';
import { median } from '../run/statistics.js';

/** Repetitions in one process: the first is the cold one, and the second half is warm. */
interface Repetitions {
  readonly full: number;
  readonly quick: number;
}

const FEW: Repetitions = { full: 10, quick: 6 };
const MANY: Repetitions = { full: 24, quick: 12 };

/** Returns a probe of a driver: a new process each round, which repeats the work. */
function driver(
  name: DriverName,
  row: string,
  { full, quick }: Repetitions,
  fileOf: (lab: Lab) => string = (lab) => lab.vmlinux(),
): OpenProbe {
  return async (lab) => {
    const command = driverCommand(name, lab.nodeArgs);
    if (row === 'load-close') requireRoot();
    const file = fileOf(lab);
    return {
      async measure() {
        const { cpuUs, wallUs, result } = await runDriver(command, row, file, lab.quick ? quick : full);
        return { costs: costsOf(cpuUs, wallUs), result };
      },
    };
  };
}

/** Returns the kernel's own file, which it reads a page at a time. */
function kernelFile(lab: Lab): string {
  lab.vmlinux();
  return VMLINUX;
}

/** costsOf returns the costs of the first repetition of a process, which is cold, and the medians of the second half. */
export function costsOf(cpuUs: readonly number[], wallUs: readonly number[]): Costs {
  const [coldCpuUs] = cpuUs;
  const [coldWallUs] = wallUs;
  if (coldCpuUs === undefined || coldWallUs === undefined || cpuUs.length < 2) {
    throw new Error('a driver must repeat its work at least once');
  }
  // Until then, engines compile.
  const warm = Math.ceil(cpuUs.length / 2);
  return {
    cpuUs: median(cpuUs.slice(warm)),
    wallUs: median(wallUs.slice(warm)),
    coldCpuUs,
    coldWallUs,
  };
}

/** tinyBtf returns BTF with a single integer. */
export function tinyBtf(): Uint8Array {
  const builder = new Builder();
  builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  return builder.marshal();
}

/** tinyFile returns a file with BTF that costs the kernel almost nothing. */
export function tinyFile(lab: Lab): string {
  return lab.file('tiny', tinyBtf);
}

/** LIBRARY_ROWS compare @btfd/btf with libbpf and cilium/ebpf, each in its own process. */
export const LIBRARY_ROWS: readonly Row[] = [
  {
    name: 'library/index',
    title: 'index vmlinux, from memory',
    subjects: {
      btfd: driver('btfd', 'index', MANY),
      libbpf: driver('libbpf', 'index', MANY),
      cilium: driver('cilium', 'index', MANY),
    },
    goals: [
      { metric: 'cpuUs', peer: null, atMost: 1_500 },
      { metric: 'cpuUs', peer: 'libbpf', atMost: 0.3 },
      { metric: 'cpuUs', peer: 'cilium', atMost: 0.12 },
    ],
    guards: [
      { metric: 'cpuUs', peer: 'libbpf' },
      { metric: 'cpuUs', peer: 'cilium' },
    ],
  },
  {
    name: 'library/first-name',
    title: 'open the kernel’s file, index it, find the first name',
    subjects: {
      btfd: driver('btfd', 'first-name', MANY, kernelFile),
      libbpf: driver('libbpf', 'first-name', MANY, kernelFile),
      cilium: driver('cilium', 'first-name', MANY, kernelFile),
    },
    goals: [
      { metric: 'cpuUs', peer: 'libbpf', atMost: 0.8 },
      { metric: 'cpuUs', peer: 'cilium', atMost: 0.25 },
    ],
    guards: [{ metric: 'cpuUs', peer: 'libbpf' }],
  },
  {
    name: 'library/first-name-native',
    title: 'the same, with the addon, as the daemon reads it',
    subjects: {
      btfd: driver('btfd', 'first-name-native', MANY, kernelFile),
      libbpf: driver('libbpf', 'first-name', MANY, kernelFile),
      cilium: driver('cilium', 'first-name', MANY, kernelFile),
    },
    goals: [
      { metric: 'cpuUs', peer: 'libbpf', atMost: 0.6 },
      { metric: 'cpuUs', peer: 'cilium', atMost: 0.15 },
    ],
    guards: [{ metric: 'cpuUs', peer: 'libbpf' }],
  },
  {
    name: 'library/names',
    title: '100,000 random lookups by name',
    subjects: {
      btfd: driver('btfd', 'names', FEW),
      cilium: driver('cilium', 'names', FEW),
    },
    goals: [{ metric: 'cpuUs', peer: 'cilium', atMost: 1 }],
    guards: [{ metric: 'cpuUs', peer: 'cilium' }],
  },
  {
    name: 'library/rebuild',
    title: 'copy all types into new BTF and marshal it',
    subjects: {
      btfd: driver('btfd', 'rebuild', FEW),
      libbpf: driver('libbpf', 'rebuild', FEW),
      cilium: driver('cilium', 'rebuild', FEW),
    },
    goals: [
      { metric: 'cpuUs', peer: null, atMost: 120_000 },
      { metric: 'cpuUs', peer: 'cilium', atMost: 0.6 },
      { metric: 'cpuUs', peer: 'libbpf', atMost: 1 },
    ],
    guards: [{ metric: 'cpuUs', peer: 'libbpf' }],
  },
  {
    name: 'library/rebuild-decoded',
    title: 'build all types from decoded ones and marshal them',
    subjects: {
      btfd: driver('btfd', 'rebuild-decoded', FEW),
      libbpf: driver('libbpf', 'rebuild', FEW),
      cilium: driver('cilium', 'rebuild', FEW),
    },
    guards: [{ metric: 'cpuUs', peer: 'libbpf' }],
  },
  {
    name: 'library/dedup',
    title: 'deduplicate vmlinux twice in one BTF',
    subjects: { btfd: driver('btfd', 'dedup', FEW), libbpf: driver('libbpf', 'dedup', FEW) },
    goals: [{ metric: 'cpuUs', peer: 'libbpf', atMost: 0.8 }],
    guards: [{ metric: 'cpuUs', peer: 'libbpf' }],
  },
  {
    name: 'library/validate',
    title: 'validate vmlinux; the kernel checks and loads it',
    subjects: { btfd: driver('btfd', 'validate', FEW), kernel: driver('btfd', 'load-close', FEW) },
    resultsDiffer: 'the rows do different work',
    goals: [{ metric: 'cpuUs', peer: 'kernel', atMost: 1.5 }],
    guards: [{ metric: 'cpuUs', peer: 'kernel' }],
  },
  {
    name: 'library/header',
    title: 'C of everything',
    subjects: { btfd: driver('btfd', 'header', FEW), libbpf: driver('libbpf', 'header', FEW) },
    resultsDiffer: 'the C of some types differs',
    goals: [{ metric: 'coldCpuUs', peer: 'libbpf', atMost: 2 }],
    guards: [{ metric: 'coldCpuUs', peer: 'libbpf' }],
  },
  {
    name: 'library/load-close',
    title: 'load tiny BTF and close it',
    subjects: {
      btfd: driver('btfd', 'load-close', { full: 2_000, quick: 500 }, tinyFile),
      libbpf: driver('libbpf', 'load-close', { full: 2_000, quick: 500 }, tinyFile),
      cilium: driver('cilium', 'load-close', { full: 2_000, quick: 500 }, tinyFile),
    },
    goals: [{ metric: 'wallUs', peer: 'cilium', atMost: 1.5 }],
    guards: [{ metric: 'cpuUs', peer: 'cilium' }],
  },
];
