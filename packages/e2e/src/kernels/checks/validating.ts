import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { BtfReadError, Spec, validate, type KernelFeatures } from '@btfd/btf';
import { NAMES, REFERENCES, TYPES } from '../../testing/malformed-btf.js';
import { HEADERS } from '../../testing/malformed-headers.js';
import { mutantOf, randomBtf, sampleOfAllKinds } from '../../testing/random-btf.js';
import { randomSpecial } from '../../testing/random-special.js';
import { SPECIAL_FIELDS } from '../../testing/special-fields.js';
import type { Lab } from '../lab.js';
import type { LoadResult } from '../machine.js';
import type { Check } from './check.js';

type Case = readonly [what: string, bytes: Uint8Array];

/** The errno of operations that are not supported, for which Node has no name. */
const ENOTSUPP = 524;

/** VALIDATING are the checks that `validate` rejects what the kernel rejects. */
export const VALIDATING: readonly Check[] = [
  check('a table of malformed BTF', () => [...HEADERS, ...NAMES, ...TYPES, ...REFERENCES]),
  check('a table of fields that are special to BPF programs', () => SPECIAL_FIELDS),
  check('6,000 mutants of BTF of all kinds', () => numbered(6000, mutantOf(sampleOfAllKinds(), 0xbadb7f))),
  check('4,000 BTFs of random types', () => numbered(4000, randomBtf(0x5eed))),
  check('4,000 BTFs of random special fields', () => numbered(4000, randomSpecial(0x5bec1a1))),
];

function check(what: string, cases: () => Iterable<Case>): Check {
  return {
    title: `validate agrees with the kernel on ${what}`,
    from: 'inside',
    run: async (lab) => {
      const all = [...cases()];
      const results = await lab.machine.load(all.map(([, bytes]) => bytes));
      await using client = lab.client();
      const { kernelFeatures } = await client.serverInfo();
      const differences = all.flatMap(([name, bytes], i) => {
        const difference = differenceOf(bytes, results[i] ?? null, kernelFeatures);
        return difference === null ? [] : [{ name, bytes, difference }];
      });
      keep(lab, what, differences);
      expect(differences.slice(0, 10).map(({ name, difference }) => `${name}: ${difference}`)).toEqual([]);
    },
  };
}

/** Returns how validate differs from the kernel, or null if it does not. */
function differenceOf(bytes: Uint8Array, theirs: LoadResult | null, features: KernelFeatures): string | null {
  if (theirs === null) return 'the kernel did not answer';
  const ours = problemsOf(bytes, features);
  const agrees =
    theirs.errno === 0 || ours === null ? (theirs.errno === 0) === (ours === null) : isSame(ours, theirs);
  if (agrees) return null;
  const said = theirs.errno === 0 ? 'accepts it' : `says ${errnoName(theirs.errno)} “${theirs.line}”`;
  return `the kernel ${said}, validate says ${ours === null ? 'nothing' : ours.join(', ') || 'that it cannot be parsed'}`;
}

/** Returns the problems that validate finds, or null if there are none. BTF that cannot be parsed has an empty one. */
function problemsOf(bytes: Uint8Array, kernelFeatures: KernelFeatures): string[] | null {
  try {
    const problems = validate(Spec.parse(bytes), { kernelFeatures, byteOrder: 'little' });
    return problems.length === 0 ? null : problems.map(({ message }) => message);
  } catch (error) {
    if (error instanceof BtfReadError) return [''];
    throw error;
  }
}

/** Whether validate reports what the kernel reports. If its first message ends with an errno, the errnos are compared. */
function isSame(ours: readonly string[], { line, errno }: LoadResult): boolean {
  const name = /\((E\w+)\)$/.exec(ours[0] ?? '')?.[1];
  return name === undefined ? ours.some((message) => line.includes(message)) : name === errnoName(errno);
}

function errnoName(errno: number): string {
  if (errno === ENOTSUPP) return 'ENOTSUPP';
  return Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? String(errno);
}

function* numbered(count: number, make: () => Uint8Array): Generator<Case> {
  for (let i = 0; i < count; i++) yield [`number ${i}`, make()];
}

/** Writes the BTFs on which they differ next to the console log. */
function keep(
  { machine }: Lab,
  what: string,
  differences: readonly { readonly name: string; readonly bytes: Uint8Array; readonly difference: string }[],
): void {
  const folder = join(machine.filesPath, what.replaceAll(/[^a-z0-9]+/gi, '-'));
  rmSync(folder, { recursive: true, force: true });
  if (differences.length === 0) return;
  mkdirSync(folder, { recursive: true });
  for (const [i, { bytes }] of differences.entries()) writeFileSync(join(folder, `${i}.btf`), bytes);
  const lines = differences.map(({ name, difference }, i) => `${i}.btf: ${name}: ${difference}\n`);
  writeFileSync(join(folder, 'differences.txt'), lines.join(''));
}
