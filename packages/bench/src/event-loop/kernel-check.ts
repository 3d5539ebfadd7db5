import { BpfError, btfLoad } from '@btfd/native';
import {
  functions,
  graphRoots,
  kernelPointers,
  lists,
  longParams,
  modifierChains,
  MOST_PARAMS,
  nestedStructs,
  sharedNames,
} from './slow-btf.js';

/** Shape is a family of BTF, by size, that the kernel takes long to check. */
interface Shape {
  readonly name: string;
  readonly sizes: readonly [number, number];
  make(size: number): Uint8Array;
  /** The number of steps of the kernel, by the estimate of the daemon. */
  units(size: number): number;
}

const TRIES = 3;
/** The kernel keeps only the end of a longer log, but writes all of it. */
const LOG_BYTES = 4_096;

/** The sizes are small, because nothing can interrupt a check, and the cost grows with the square or exponentially. */
const SHAPES: readonly Shape[] = [
  {
    name: 'lists: one search of all types each',
    sizes: [2_000, 4_000],
    make: lists,
    units: (count) => count * 2 * count,
  },
  {
    name: 'nested structs, two in each: one visit',
    sizes: [16, 18],
    make: nestedStructs,
    units: (levels) => 2 ** (levels + 1),
  },
  {
    name: 'pointers: one search of the kernel’s types each',
    sizes: [100, 200],
    make: kernelPointers,
    units: (count) => count,
  },
  {
    name: 'a name shared by many: one character of it',
    sizes: [100_000, 200_000],
    make: sharedNames,
    units: (count) => count * 511,
  },
  {
    name: 'functions: one parameter of the prototype each',
    sizes: [1_000, 2_000],
    make: functions,
    units: (count) => count * MOST_PARAMS,
  },
  {
    name: 'lists of a wide struct: one character of a member each',
    sizes: [2_000, 4_000],
    make: (members) => graphRoots(20, members),
    units: (members) => 20 * members * 499,
  },
  {
    name: 'pointers to a chain of modifiers: one modifier each',
    sizes: [2_000, 4_000],
    make: (count) => modifierChains(count, count),
    units: (count) => count * count,
  },
  {
    name: 'parameters with a long name: one character in the log each',
    sizes: [1_000, 2_000],
    make: (count) => longParams(count, 10 * count),
    units: (count) => count * 10 * count,
  },
];

/** measureKernelCheck prints the measurements on which the estimate of the kernel's check is based. */
export async function measureKernelCheck(): Promise<void> {
  console.log(
    '\nThe time that the kernel takes to check slow BTF, at two sizes, and per step of the check.\n',
  );
  const rows: Record<string, Record<string, number>> = {};
  for (const shape of SHAPES) {
    const [small, large] = shape.sizes;
    const first = await fastest(shape.make(small));
    const second = await fastest(shape.make(large));
    rows[shape.name] = {
      ms: Number(first.toPrecision(3)),
      'ms, larger': Number(second.toPrecision(3)),
      growth: Number((second / first).toPrecision(2)),
      'growth of steps': Number((shape.units(large) / shape.units(small)).toPrecision(2)),
      'ns per step': Number(((second * 1e6) / shape.units(large)).toPrecision(2)),
    };
  }
  console.table(rows);
}

async function fastest(rawBtf: Uint8Array): Promise<number> {
  let least = Infinity;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const started = performance.now();
    await load(rawBtf);
    least = Math.min(least, performance.now() - started);
  }
  return least;
}

/** Loads BTF, with a log if the kernel refuses it. */
async function load(rawBtf: Uint8Array): Promise<void> {
  try {
    (await btfLoad(rawBtf, LOG_BYTES)).close();
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
  }
}
