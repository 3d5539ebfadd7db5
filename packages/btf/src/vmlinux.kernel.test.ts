import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { isSplit, parseHeader } from './header.js';
import { Spec } from './spec.js';
import { bpftoolJson, dumpFile, VMLINUX } from './testing/bpftool.js';
import { exercise, type Outcomes } from './testing/exercise.js';
import { mutate } from './testing/mutate.js';
import { countTypes } from './type-index.js';
import { Kind } from './types.js';

needs('vmlinux', 'bpftool').describe('the BTF of the running kernel', () => {
  let spec: Spec;
  let dump: string[];
  let names: Map<string, number[]>;

  beforeAll(() => {
    spec = Spec.parse(new Uint8Array(readFileSync(VMLINUX)));
    dump = dumpFile(VMLINUX);
    names = new Map();
    for (const line of dump) {
      const { id, name }: { id: number; name: string } = JSON.parse(line);
      names.set(name, [...(names.get(name) ?? []), ...(name === '(anon)' ? [] : [id])]);
    }
  });

  test('decodes every type to the output of bpftool', () => {
    const wrong: string[] = [];
    let count = 0;
    for (const type of spec) {
      const ours = bpftoolJson(type);
      const theirs = dump[count];
      if (ours !== theirs && wrong.length < 5) wrong.push(`${ours} is not ${theirs}`);
      count += 1;
    }
    expect(wrong).toEqual([]);
    expect(count).toBe(dump.length);
    expect(count).toBeGreaterThan(10_000);
  });

  test('has as many types as bpftool prints, counted without a spec', () => {
    expect(spec.typeCount).toBe(dump.length);
    expect(countTypes(spec.bytes)).toBe(dump.length);
    expect(isSplit(spec.bytes)).toBe(false);
  });

  test('returns kind and name of every type without decoding it', () => {
    const wrong = dump.filter((line) => {
      const { id, kind, name }: { id: number; kind: keyof typeof Kind; name: string } = JSON.parse(line);
      return spec.kindOf(id) !== Kind[kind] || (spec.nameOf(id) || '(anon)') !== name;
    });
    expect(wrong).toEqual([]);
  });

  test('finds the same ids by name as in the output of bpftool', () => {
    const repeated = [...names].filter(([, ids]) => ids.length > 1);
    const sample = [...[...names].filter((_, i) => i % 997 === 0), ...repeated.slice(0, 50)];
    const found = sample.filter(([name]) => name !== '(anon)').map(([name]) => [name, spec.idsByName(name)]);
    expect(found).toEqual(sample.filter(([name]) => name !== '(anon)'));
    expect(found.length).toBeGreaterThan(50);
    expect(spec.typesByName('task_struct').map(({ kind }) => kind)).toContain('STRUCT');
    expect(spec.idsByName('no such name')).toEqual([]);
  });

  test('reads the same from unaligned bytes, which no word view fits', () => {
    const shifted = new Uint8Array(spec.bytes.length + 1);
    shifted.set(spec.bytes, 1);
    const unaligned = Spec.parse(shifted.subarray(1));
    expect(unaligned.typeCount).toBe(spec.typeCount);
    const wrong: string[] = [];
    for (const type of unaligned) {
      const ours = bpftoolJson(type);
      if (ours !== dump[type.id - 1] && wrong.length < 5) wrong.push(ours);
    }
    expect(wrong).toEqual([]);
  });

  test('ends every read of mutants of its first types in a value or a BtfFormatError', () => {
    const head = headOf(spec.bytes, 16 * 1024);
    expect(Spec.parse(head).typeCount).toBeGreaterThan(200);
    const random = seeded(0x5eed);
    const outcomes: Outcomes = new Map();
    for (let i = 0; i < 500; i++) exercise(mutate(head, random), null, outcomes);
    expect(outcomes.get('VALUE')).toBeGreaterThan(10_000);
    expect(outcomes.get('MALFORMED')).toBeGreaterThan(100);
  });
});

/** BTF of the first types only. The many names after the end of its strings are broken on purpose. */
function headOf(bytes: Uint8Array, size: number): Uint8Array {
  const { types, strings } = parseHeader(bytes);
  for (let typeLength = size; typeLength > 0; typeLength -= 4) {
    const head = new Uint8Array(24 + typeLength + size);
    head.set(bytes.subarray(0, 24));
    head.set(bytes.subarray(types.offset, types.offset + typeLength), 24);
    head.set(bytes.subarray(strings.offset, strings.offset + size - 1), 24 + typeLength);
    new Uint32Array(head.buffer, 8, 4).set([0, typeLength, typeLength, size]);
    try {
      countTypes(head);
      return head;
    } catch {
      // This length cuts a type in two.
    }
  }
  throw new Error('no type is that small');
}
