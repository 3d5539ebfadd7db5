import { readFileSync } from 'node:fs';
import { seeded } from 'test-tools/random';
import { parseBtfExt } from '../../ext/btf-ext.js';
import { parseElfBtf } from '../../elf/elf-btf.js';
import { BtfReadError } from '../../format-error.js';
import { resolveRelocations } from '../../core/resolve.js';
import { parseBpfObject } from '../../object/bpf-object.js';
import { compactObject } from '../../object/compact.js';
import { findBpfObjects } from '../../object/embedded.js';
import { readExterns } from '../../object/extern-symbols.js';
import { readMaps } from '../../object/maps.js';
import { prepareBtf } from '../../object/prepare-btf.js';
import { Spec } from '../../spec.js';
import { Kind } from '../../types.js';
import { assembleAllKinds } from '../all-kinds.js';
import { BtfAssembler, UNKNOWN_KIND } from '../assemble-btf.js';
import { assembleElf } from '../assemble-elf.js';
import { checkBytes } from '../check-case.js';
import { assembleDistilled, DISTILLED_CASES } from '../distilled-cases.js';
import { exerciseCheck } from '../exercise-check.js';
import { exerciseLibrary, exercisePrinting } from '../exercise-library.js';
import { exercise, type Outcomes } from '../exercise.js';
import { futureBtf } from '../future-btf.js';
import { randomPair } from '../random-relocations.js';
import { smallKernel } from '../small-kernel.js';
import type { FuzzTarget } from './coverage-fuzz.js';

const ORDERS = ['little', 'big'] as const;
const LAYOUT = globalThis.Array.from(
  { length: UNKNOWN_KIND + 3 },
  (_, kind) => [kind % 3 === 0 ? 4 : 0, 8] as const,
);

/** Files that compilers and pahole made. The depth of the folders is the same in the compiled tree. */
function testdata(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../src/${path}`, import.meta.url)));
}

const all = assembleAllKinds('little');
const base = Spec.parse(all.bytes());
const split = new BtfAssembler('little', all.stringEnd)
  .type(Kind.STRUCT, 'own', { vlen: 2, sizeOrTypeId: 8, data: ['a', 1, 0, 'b', 31, 32] })
  .type(Kind.PTR, '', { sizeOrTypeId: 30 })
  .type(Kind.ENUM64, 'e', { vlen: 1, sizeOrTypeId: 8, data: ['A', 1, 2] });

/** The kernel of the objects with relocations. */
const CORE_KERNEL = Spec.parse(randomPair(seeded(5), 'little', 2).kernel);

/** The kernel of the objects that are checked. */
const CHECK_KERNEL = smallKernel();

const ALONE = [
  ...ORDERS.map((order) => assembleAllKinds(order).bytes()),
  assembleAllKinds('little')
    .type(UNKNOWN_KIND, 'new', { vlen: 1, data: [1, 2] })
    .bytes({ headerLength: 32, layout: LAYOUT }),
  futureBtf(all, 'little', { flags: 1, surplus: [8, 16], gaps: [4, 16, 9] }),
  testdata('elf/testdata/distilled/base.btf'),
];

/** Sections `.BTF.ext` whose strings are in the BTF of `needs`. */
const EXT_SPEC = parseBpfObject(checkBytes('needs')).spec;
const EXT_OBJECTS = (['needs', 'struct-ops', 'refused-exception'] as const).map((name) => {
  const { elf } = parseBpfObject(checkBytes(name));
  const section = elf.sectionHeaders(16).find((header) => header.name === '.BTF.ext');
  return { ext: section === undefined ? new Uint8Array(0) : elf.sectionBytes(section) };
});

/** FUZZ_TARGETS are the ways into the library for hostile bytes. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  { name: 'BTF that stands alone', seeds: ALONE, run: (bytes) => exerciseAll(bytes, null) },
  {
    name: 'split BTF',
    seeds: [split.bytes()],
    baseBytes: base.bytes.length,
    run: (bytes) => exerciseAll(bytes, base),
  },
  {
    name: 'BTF that is printed',
    seeds: ALONE,
    boundedBySteps: true,
    run: (bytes) => limitsReached(bytes, null, exercisePrinting),
  },
  {
    name: 'ELF files',
    seeds: ORDERS.flatMap((order) =>
      ([32, 64] as const).flatMap((bits) => {
        const btf = { name: '.BTF', bytes: new BtfAssembler(order).type(Kind.FWD, 'f').bytes() };
        return [false, true].map((extended) => assembleElf(bits, order, [btf], { extended }));
      }),
    ),
    run: (bytes) => typed(() => parseElfBtf(bytes)),
  },
  {
    name: 'object files',
    seeds: ['externs', 'linked', 'rest-eb'].map((name) => testdata(`object/testdata/${name}.bpf.o`)),
    run: (bytes) => typed(() => prepareBtf(parseBpfObject(bytes))) + exerciseObject(bytes, base),
  },
  {
    name: 'object files with relocations',
    seeds: ORDERS.flatMap((order) => randomPair(seeded(5), order, 2).objects),
    run: (bytes) => exerciseObject(bytes, CORE_KERNEL),
  },
  {
    name: 'object files that are checked',
    seeds: (
      [
        'needs',
        'needs-eb',
        'struct-ops',
        'strong-kfunc',
        'refused-call',
        'refused-exception',
        'refused-map',
      ] as const
    ).map(checkBytes),
    // Each program may use each subprogram, and each branch of a program makes two.
    boundedBySteps: true,
    run: (bytes) => {
      exerciseCheck(bytes, { kernel: CHECK_KERNEL });
      return 0;
    },
  },
  {
    name: 'sections .BTF.ext',
    seeds: EXT_OBJECTS.map(({ ext }) => ext),
    baseBytes: EXT_SPEC.bytes.length,
    run: (bytes) =>
      typed(() => {
        const { functions, lines, relocations } = parseBtfExt(bytes, EXT_SPEC);
        for (const section of [...functions.keys(), ...relocations.map((block) => block.section)]) {
          for (const instruction of [0, 1, 100, 0xffff_ffff]) lines.at(section, instruction);
        }
      }),
  },
  {
    name: 'split BTF on a distilled base',
    seeds: DISTILLED_CASES.map((rows) => {
      const { split: own, distilled } = assembleDistilled(rows);
      return assembleElf(64, 'little', [
        { name: '.BTF', bytes: own },
        { name: '.BTF.base', bytes: distilled },
      ]);
    }).concat(testdata('elf/testdata/distilled/module.o')),
    run: (bytes) => {
      for (const full of FULL_BASES) typed(() => [...parseElfBtf(bytes, { base: full })]);
      return 0;
    },
  },
];

function exerciseObject(bytes: Uint8Array, kernel: Spec): number {
  typed(() => findBpfObjects(bytes));
  typed(() => compactObject(bytes));
  typed(() => readExterns(parseBpfObject(bytes)));
  typed(() => readMaps(parseBpfObject(bytes)));
  for (const loader of ['libbpf', 'cilium'] as const) {
    typed(() => resolveRelocations(parseBpfObject(bytes), { kernel }, { loader }));
  }
  return 0;
}

/** The full bases for the distilled bases of the cases: one in which much is ambiguous, one in which nothing is. */
const FULL_BASES = [
  DISTILLED_CASES.flatMap((rows) => rows.base),
  DISTILLED_CASES.filter(({ what }) => /^(a float|enums|a union|declar)/.test(what)).flatMap(
    (rows) => rows.base,
  ),
].map((types) => Spec.parse(assembleDistilled({ what: '', distilled: [], base: types, expected: [] }).base));

function exerciseAll(bytes: Uint8Array, onBase: Spec | null): number {
  exercise(bytes, onBase, new Map());
  return limitsReached(bytes, onBase, exerciseLibrary);
}

function limitsReached(bytes: Uint8Array, onBase: Spec | null, run: typeof exerciseLibrary): number {
  const outcomes: Outcomes = new Map();
  typed(() => run(Spec.parse(bytes, { base: onBase }), outcomes));
  let limits = 0;
  for (const [outcome, count] of outcomes) if (outcome.endsWith(' LIMIT_EXCEEDED')) limits += count;
  return limits;
}

function typed(run: () => unknown): number {
  try {
    run();
  } catch (error) {
    if (!(error instanceof BtfReadError)) throw error;
  }
  return 0;
}
