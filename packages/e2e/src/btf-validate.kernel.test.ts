import { readFileSync } from 'node:fs';
import { BpfError, btfLoad } from '@btfd/native';
import { BtfReadError, type KernelFeatures, Spec, validate } from '@btfd/btf';
import { beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { NAMES, REFERENCES, TYPES } from './testing/malformed-btf.js';
import { probedFeatures } from './testing/probed-features.js';
import { HEADERS } from './testing/malformed-headers.js';
import { randomOwners } from './testing/random-owners.js';
import { randomTags } from './testing/random-tags.js';
import { randomSpecial } from './testing/random-special.js';
import { SPECIAL_FIELDS } from './testing/special-fields.js';
import { mutantOf, randomBtf, sampleOfAllKinds } from './testing/random-btf.js';

/** The features of the running kernel: stable releases have some checks of later ones. */
let kernelFeatures: KernelFeatures;

/**
 * Returns why the kernel rejects BTF, or null if it accepts it. `line` is the last line of its log, or empty if
 * the log is. `errno` is the name of the errno, the only report about special fields.
 */
async function kernelRefusal(bytes: Uint8Array): Promise<{ line: string; errno: string } | null> {
  try {
    (await btfLoad(bytes, 1 << 16)).close();
    return null;
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    const log = Buffer.from(error.log?.text ?? []).toString('latin1');
    return { line: log.trimEnd().split('\n').at(-1) ?? '', errno: error.code };
  }
}

/** Returns the problems that validate finds, or null if there are none. BTF that cannot be parsed has an empty one. */
function ourRefusals(bytes: Uint8Array): string[] | null {
  try {
    const problems = validate(Spec.parse(bytes), { kernelFeatures, byteOrder: 'little' });
    return problems.length === 0 ? null : problems.map(({ message }) => message);
  } catch (error) {
    if (error instanceof BtfReadError) return [''];
    throw error;
  }
}

interface Comparison {
  readonly disagreements: readonly string[];
  readonly refused: number;
  readonly accepted: number;
}

/** Whether validate reports what the kernel reports. If its first message ends with an errno, the errnos are compared. */
function isSame(ours: readonly string[], theirs: { line: string; errno: string }): boolean {
  const errno = /\((E\w+)\)$/.exec(ours[0] ?? '')?.[1];
  return errno === undefined ? ours.some((message) => theirs.line.includes(message)) : errno === theirs.errno;
}

/** Compares the results of validate with those of the kernel. */
async function compare(cases: Iterable<readonly [what: string, bytes: Uint8Array]>): Promise<Comparison> {
  const disagreements: string[] = [];
  let refused = 0;
  let accepted = 0;
  for (const [what, bytes] of cases) {
    const theirs = await kernelRefusal(bytes);
    const ours = ourRefusals(bytes);
    if (theirs === null) accepted += 1;
    else refused += 1;
    const agree = theirs === null || ours === null ? theirs === ours : isSame(ours, theirs);
    if (agree) continue;
    const verdict = theirs === null ? 'nothing' : `${theirs.line}: ${theirs.errno}`;
    disagreements.push(`${what}: the kernel says ${verdict}, validate says ${ours?.join(', ')}`);
  }
  return { disagreements: disagreements.slice(0, 10), refused, accepted };
}

function* numbered(count: number, make: (i: number) => Uint8Array): Generator<readonly [string, Uint8Array]> {
  for (let i = 0; i < count; i++) yield [`number ${i}`, make(i)];
}

needs('bpf').describe('validate rejects exactly what the kernel rejects, with the same message', () => {
  beforeAll(async () => {
    kernelFeatures = await probedFeatures();
  });

  test.each([
    ['headers and sections', HEADERS, 20, 2],
    ['names', NAMES, 100, 100],
    ['single types', TYPES, 50, 25],
    ['references', REFERENCES, 100, 60],
    ['fields that are special to BPF programs', SPECIAL_FIELDS, 75, 95],
  ] as const)('in a table of %s', async (_, cases, leastRefused, leastAccepted) => {
    const { disagreements, refused, accepted } = await compare(cases);
    expect(disagreements).toEqual([]);
    expect(refused).toBeGreaterThanOrEqual(leastRefused);
    expect(accepted).toBeGreaterThanOrEqual(leastAccepted);
  });

  test('in the BTF of the running kernel, complete and truncated', async () => {
    const vmlinux = new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux'));
    const damaged = vmlinux.slice();
    damaged.fill(0xff, 24 + 1000 * 12, 24 + 1001 * 12);
    const { disagreements, refused, accepted } = await compare([
      ['vmlinux', vmlinux],
      ['cut off', vmlinux.subarray(0, -1)],
      ['damaged', damaged],
    ]);
    expect({ disagreements, refused, accepted }).toEqual({ disagreements: [], refused: 2, accepted: 1 });
  });

  test('in 6,000 mutants of BTF of all kinds', async () => {
    const sample = sampleOfAllKinds();
    const mutants = mutantOf(sample, 0xbadb7f);
    expect(ourRefusals(sample)).toBeNull();
    const { disagreements, refused, accepted } = await compare(numbered(6000, mutants));
    expect(disagreements).toEqual([]);
    expect(refused).toBeGreaterThan(3000);
    expect(accepted).toBeGreaterThan(500);
  });

  test('in 4,000 BTFs of random types that refer to each other at random', async () => {
    const { disagreements, refused, accepted } = await compare(numbered(4000, randomBtf(0x5eed)));
    expect(disagreements).toEqual([]);
    expect(refused).toBeGreaterThan(2000);
    expect(accepted).toBeGreaterThan(300);
  });

  test('in 3,000 BTFs of random pointers with type tags', async () => {
    const make = randomTags(0x7a95, { nestedLocks: false });
    const { disagreements, refused, accepted } = await compare(numbered(3000, make));
    expect(disagreements).toEqual([]);
    expect(refused).toBeGreaterThan(500);
    expect(accepted).toBeGreaterThan(500);
  });

  // Each pointer to a struct that the kernel lacks makes it search all of its types.
  test('in 500 BTFs of random structs that own each other', async () => {
    const { disagreements, refused, accepted } = await compare(numbered(500, randomOwners(0x0e4)));
    expect(disagreements).toEqual([]);
    expect(refused).toBeGreaterThan(75);
    expect(accepted).toBeGreaterThan(75);
  });

  test('in 4,000 BTFs of random structs with special fields', async () => {
    const { disagreements, refused, accepted } = await compare(numbered(4000, randomSpecial(0x5bec1a1)));
    expect(disagreements).toEqual([]);
    expect(refused).toBeGreaterThan(1500);
    expect(accepted).toBeGreaterThan(300);
  });
});
