import { btfLoad } from '@btfd/native';
import { functions, kernelPointers, lists, MOST_PARAMS, nestedStructs, sharedNames } from './slow-btf.js';

/** Shape is BTF whose check takes the kernel long, by a size. */
interface Shape {
  readonly name: string;
  readonly sizes: readonly [number, number];
  make(size: number): Uint8Array;
  /** What the kernel does so often, by the estimate of the daemon. */
  units(size: number): number;
}

const TRIES = 3;

/** The sizes are small: nothing can end a check, and the costs grow with the square, or exponentially. */
const SHAPES: readonly Shape[] = [
  {
    name: 'lists: a search of all types for each',
    sizes: [2_000, 4_000],
    make: lists,
    units: (count) => count * 2 * count,
  },
  {
    name: 'structs that nest, two in each: a visit',
    sizes: [16, 18],
    make: nestedStructs,
    units: (levels) => 2 ** (levels + 1),
  },
  {
    name: 'pointers: a search of the kernel’s types for each',
    sizes: [100, 200],
    make: kernelPointers,
    units: (count) => count,
  },
  {
    name: 'a name that many share: a character of it',
    sizes: [100_000, 200_000],
    make: sharedNames,
    units: (count) => count * 511,
  },
  {
    name: 'functions: a parameter of the prototype for each',
    sizes: [1_000, 2_000],
    make: functions,
    units: (count) => count * MOST_PARAMS,
  },
];

/** measureKernelCheck prints what the estimate of the kernel's check stands on. */
export async function measureKernelCheck(): Promise<void> {
  console.log(
    '\nThe kernel’s check of BTF that is made to take long, at two sizes, and what one unit of it takes.\n',
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
      'units grew': Number((shape.units(large) / shape.units(small)).toPrecision(2)),
      'ns a unit': Number(((second * 1e6) / shape.units(large)).toPrecision(2)),
    };
  }
  console.table(rows);
}

async function fastest(rawBtf: Uint8Array): Promise<number> {
  let least = Infinity;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const started = performance.now();
    (await btfLoad(rawBtf, 0)).close();
    least = Math.min(least, performance.now() - started);
  }
  return least;
}
