import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfReadError } from './format-error.js';
import { Spec } from './spec.js';
import { BtfAssembler } from './testing/assemble-btf.js';
import { bpftoolJson, normalizeBpftoolJson } from './testing/bpftool.js';
import { futureBtf } from './testing/future-btf.js';
import { Kind } from './types.js';

/** The byte of the version. libbpf reads any version as version 1, which the library does not. */
const VERSION = 2;

describe.each(['little', 'big'] as const)('the header of %s-endian BTF', (order) => {
  const btf = new BtfAssembler(order)
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [0x01000020] })
    .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 4, data: ['a', 1, 0] });
  const seeds = [
    btf.bytes(),
    btf.bytes({
      headerLength: 32,
      layout: [
        [0, 0],
        [4, 0],
      ],
    }),
    futureBtf(btf, order, { flags: 1, surplus: [8, 16, 0], gaps: [4, 16, 9] }),
  ];
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'btf-header-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Returns the types that bpftool reads, or null if it refuses the BTF. */
  function theirs(bytes: Uint8Array): string | null {
    const path = join(folder, 'btf');
    writeFileSync(path, bytes);
    const { status, stdout } = spawnSync('bpftool', ['-j', 'btf', 'dump', 'file', path], {
      encoding: 'utf8',
    });
    if (status !== 0) return null;
    const { types }: { types: object[] } = JSON.parse(normalizeBpftoolJson(stdout));
    return types.map((type) => JSON.stringify(type)).join('\n');
  }

  needs('bpftool').test(
    'leads to the types that bpftool reads, or to an error of both, whatever a word or the length is',
    () => {
      const differences: string[] = [];
      const onlyOurs = new Set<string>();
      let [same, refused] = [0, 0];
      for (const [what, bytes] of seeds.flatMap((seed) => Array.from(mutants(seed, order)))) {
        const [our, their] = [ours(bytes), theirs(bytes)];
        if (our === their) same += 1;
        else if (their === null) onlyOurs.add(what);
        else differences.push(`${what}: ${our ?? 'refused'} instead of ${their ?? 'refused'}`);
        if (our === null) refused += 1;
      }
      expect(differences).toEqual([]);
      // A layout section before the types: sections may be in any order for kernels, and for the library.
      expect([...onlyOurs]).toEqual(['word 4 at 28']);
      expect(same - refused).toBeGreaterThan(50);
      expect(refused).toBeGreaterThan(200);
    },
  );
});

function ours(bytes: Uint8Array): string | null {
  try {
    // bpftool prints an empty name as such if its offset is not 0.
    return [...Spec.parse(bytes)].map((type) => bpftoolJson(type).replaceAll('(anon)', '')).join('\n');
  } catch (error) {
    if (error instanceof BtfReadError) return null;
    throw error;
  }
}

/** Returns each truncation of a BTF, and its header with each word and byte replaced. */
function* mutants(seed: Uint8Array, order: 'little' | 'big'): Generator<readonly [string, Uint8Array]> {
  for (let length = 0; length <= seed.length; length++) yield [`${length} bytes`, seed.subarray(0, length)];
  const view = new DataView(seed.buffer);
  const headerLength = view.getUint32(4, order === 'little');
  for (let at = 4; at < headerLength; at += 4) {
    const word = view.getUint32(at, order === 'little');
    const values = [word - 4, word - 1, word + 1, word + 4, seed.length - headerLength, seed.length];
    for (const value of [...values, 0, 1, 4, 24, 28, 32, 36, 2 ** 31, 2 ** 32 - 4, 2 ** 32 - 1]) {
      const changed = seed.slice();
      new DataView(changed.buffer).setUint32(at, value, order === 'little');
      yield [`word ${value} at ${at}`, changed];
    }
  }
  for (let at = 0; at < 4; at++) {
    for (const value of at === VERSION ? [] : [0, 1, 2, 0x80, 0xff]) {
      const changed = seed.slice();
      changed[at] = value;
      yield [`byte ${value} at ${at}`, changed];
    }
  }
}
