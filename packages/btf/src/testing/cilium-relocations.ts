import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import { seeded } from 'test-tools/random';
import type { CoreResolution, ResolvedRelocation } from '../core/resolution.js';
import { resolveRelocations } from '../core/resolve.js';
import { RELOCATION_NAMES } from '../ext/records.js';
import type { ByteOrder } from '../header.js';
import { type BpfObject, parseBpfObject } from '../object/bpf-object.js';
import { Instructions } from '../object/instructions.js';
import { Spec } from '../spec.js';
import { type RandomPair, randomPair } from './random-relocations.js';

/** The program that `scripts/fetch-cilium-driver.js` builds from `core/testdata/cilium/relocate.go`. */
const DRIVER = fileURLToPath(new URL('../../../../.cache/cilium/relocate', import.meta.url));

/** CiliumRelocations returns how cilium/ebpf resolves the CO-RE relocations of objects. */
export class CiliumRelocations {
  readonly #folder = mkdtempSync(join(tmpdir(), 'cilium-'));

  /** run returns the lines of each object, sorted. A line begins with `error` if the whole object is refused. */
  run(kernel: Uint8Array, objects: readonly Uint8Array[]): string[][] {
    const paths = [kernel, ...objects].map((bytes, i) => {
      const path = join(this.#folder, `file-${i}`);
      writeFileSync(path, bytes);
      return path;
    });
    const [, ...outputs] = execFileSync(DRIVER, paths, { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\f');
    return outputs.map((output) =>
      output
        .split('\n')
        .filter((line) => line !== '')
        .map(withoutText)
        .toSorted(),
    );
  }

  /** Removes the files. */
  close(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/**
 * RECORDED is the file with the results of cilium/ebpf 0.22 for the {@link RECORDED_PAIRS}. The long test writes it if
 * `BTFD_RECORD` is 1.
 */
export const RECORDED = fileURLToPath(
  new URL('../../src/core/testdata/cilium/results.json', import.meta.url),
);

/** RECORDED_PAIRS are the seeds of random kernels and objects, and their byte orders. */
export const RECORDED_PAIRS: readonly (readonly [number, ByteOrder])[] = Array.from(
  { length: 24 },
  (_, i) => [1000 + i * 2, i % 2 === 0 ? 'little' : 'big'] as const,
);

/** ciliumCase makes a kernel and objects of a recorded pair. */
export function ciliumCase([seed, order]: readonly [number, ByteOrder]): RandomPair {
  return randomPair(seeded(seed), order);
}

/**
 * compareWithCilium resolves relocations by the rules of cilium/ebpf, and compares its results.
 *
 * @returns the number of objects that were compared: all that cilium/ebpf could read.
 */
export function compareWithCilium(
  kernel: Uint8Array,
  objects: readonly Uint8Array[],
  outputs: readonly (readonly string[])[],
): number {
  const target = Spec.parse(kernel);
  let compared = 0;
  for (const [i, bytes] of objects.entries()) {
    const object = parseBpfObject(bytes);
    const resolution = resolveRelocations(object, { kernel: target }, { loader: 'cilium' });
    const theirs = outputs[i] ?? [];
    if (theirs[0]?.startsWith('error') === true) continue;
    expect([i, ...ourCiliumLines(resolution, object)]).toEqual([i, ...theirs]);
    compared += 1;
  }
  return compared;
}

/** Leaves out the texts of errors, and the constants of poisoned instructions. */
function withoutText(line: string): string {
  if (line.startsWith('error')) return 'error';
  return line
    .replace(/ error: .*ambiguous relocation.*$/, ' ambiguous')
    .replace(/ error: .*$/, ' refused')
    .replace(/ \S+ refused: .*$/, ' refused')
    .replace(/(=poison) .*$/, '$1');
}

/** ourCiliumLines returns the same of our resolution. */
export function ourCiliumLines({ relocations }: CoreResolution, object: BpfObject): string[] {
  return relocations.flatMap((relocation) => lineOf(relocation, object)).toSorted();
}

function lineOf(relocation: ResolvedRelocation, { elf }: BpfObject): string[] {
  const { program, loadedFor, instruction, kind, kindNumber, outcome, localValue, targetValue, patch } =
    relocation;
  if (outcome === 'SKIPPED' || program === null || loadedFor === null) return [];
  const prefix = `${loadedFor.name} ${program.name} ${instruction} `;
  if (outcome === 'AMBIGUOUS') return [`${prefix}ambiguous`];
  if (outcome === 'REFUSED' || patch === null) return [`${prefix}refused`];
  const name = kind === null ? `unknown (${kindNumber})` : RELOCATION_NAMES[kind];
  if (patch.part === 'POISON') return [`${prefix}${name}=poison`];
  const before = new Instructions(program.bytes, elf.byteOrder).at(instruction);
  const constant = patch.part === 'OFFSET' ? BigInt.asUintN(64, BigInt(before?.immediate ?? 0)) : patch.to;
  const offset = patch.part === 'OFFSET' ? patch.to : BigInt(before?.offset ?? 0);
  return [`${prefix}${name}=${localValue}->${targetValue} constant ${constant} offset ${offset}`];
}
