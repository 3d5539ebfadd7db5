import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import type { Random } from 'test-tools/random';
import type { Rebuilt } from '../build/write-btf.js';
import { minimalBtf } from '../min-btf/minimal-btf.js';
import { type BpfObject, parseBpfObject } from '../object/bpf-object.js';
import { Spec } from '../spec.js';
import { HOST_ORDER } from '../words.js';
import type { DebianObject } from './debian-objects.js';
import { LibbpfRelocations } from './libbpf-relocations.js';
import { randomPair } from './random-relocations.js';
import { libbpfLines } from './relocation-log.js';

/** Sizes are the bytes of minimal BTF: ours, and that of bpftool. */
export interface Sizes {
  readonly ours: number;
  readonly bpftool: number;
}

/** MinimalComparison compares how libbpf relocates objects with minimal BTF and with that of the kernel. Needs root. */
export class MinimalComparison {
  readonly #libbpf = new LibbpfRelocations();

  /**
   * compareObjects expects that libbpf relocates each object in the same way with minimal BTF for it alone, and for all of
   * them. It expects that neither is larger than what bpftool makes.
   *
   * @param kernel the path of a file with raw BTF.
   * @returns the sizes for all objects at once.
   */
  compareObjects(kernel: string, objects: readonly DebianObject[]): Sizes {
    const target = Spec.parse(new Uint8Array(readFileSync(kernel)));
    const files = objects.map(({ name, bytes }, i) => ({
      title: `${name} ${i}`,
      bytes,
      object: parseBpfObject(bytes),
      path: this.#libbpf.file(`${i}.bpf.o`, bytes),
    }));
    const full = this.#libbpf.run(
      kernel,
      files.map(({ bytes }) => bytes),
    );
    for (const [i, { title, bytes, object, path }] of files.entries()) {
      const minimal = minimalBtf([object], target);
      this.#expectSame(title, [full[i] ?? []], minimal, [bytes]);
      const { ours, bpftool } = this.#sizes(kernel, minimal, [path]);
      expect([title, ours <= bpftool]).toEqual([title, true]);
    }
    const all = minimalBtf(
      files.map(({ object }) => object),
      target,
    );
    this.#expectSame(
      'all',
      full,
      all,
      files.map(({ bytes }) => bytes),
    );
    const sizes = this.#sizes(
      kernel,
      all,
      files.map(({ path }) => path),
    );
    expect(sizes.ours).toBeLessThanOrEqual(sizes.bpftool);
    return sizes;
  }

  /** compareRandom does so for random kernels and objects. Returns the number of objects with at least one change. */
  compareRandom(random: Random, pairs: number): number {
    let changed = 0;
    for (let i = 0; i < pairs; i++) {
      const { kernel, objects } = randomPair(random, HOST_ORDER);
      const target = Spec.parse(kernel);
      const full = this.#libbpf.run(this.#libbpf.file('kernel', kernel), objects);
      const parsed: BpfObject[] = objects.map((bytes) => parseBpfObject(bytes));
      for (const [j, object] of parsed.entries()) {
        const [log = [], bytes = new Uint8Array()] = [full[j], objects[j]];
        this.#expectSame(`${i} ${j}`, [log], minimalBtf([object], target), [bytes]);
        if (log.some((line) => line.includes('patched insn'))) changed += 1;
      }
      this.#expectSame(String(i), full, minimalBtf(parsed, target), objects);
    }
    return changed;
  }

  /** Removes the files. */
  close(): void {
    this.#libbpf.close();
  }

  #expectSame(
    title: string,
    full: readonly (readonly string[])[],
    { bytes, ids }: Rebuilt,
    objects: readonly Uint8Array[],
  ): void {
    const logs = this.#libbpf.run(this.#libbpf.file('minimal', bytes), objects);
    for (const [i, log] of full.entries()) {
      const theirs = fixes(log, (id) => ids[id] ?? 0);
      expect([title, ...fixes(logs[i] ?? [], (id) => id)]).toEqual([title, ...theirs]);
    }
  }

  #sizes(kernel: string, { bytes }: Rebuilt, objects: readonly string[]): Sizes {
    const path = this.#libbpf.file('bpftool.btf', new Uint8Array());
    execFileSync('bpftool', ['gen', 'min_core_btf', kernel, path, ...objects], { stdio: 'pipe' });
    return { ours: bytes.length, bpftool: readFileSync(path).length };
  }
}

/**
 * fixes returns what libbpf did for each relocation: the changes of instructions, and failures.
 *
 * @param idOf returns the id in the other BTF of a type of the kernel.
 */
function fixes(log: readonly string[], idOf: (id: number) => number): string[] {
  let isId = false;
  return libbpfLines(log).flatMap((line) => {
    if (/^\S* #\d+ </.test(line)) isId = line.includes(' <target_type_id> ');
    if (/ (?:matching|non-matching) candidate #\d+ /.test(line) || / #\d+ </.test(line)) return [];
    return [isId ? line.replace(/\d+$/, (id) => String(idOf(Number(id)))) : line];
  });
}
