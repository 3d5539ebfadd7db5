import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { VMLINUX } from '../testing/bpftool.js';
import { Kind } from '../types.js';
import { postorder } from './postorder.js';
import { children } from './references.js';

const spec = Spec.parse(assembleAllKinds('little').bytes());

test('postorder returns each type once, after the types that it refers to, without void', () => {
  expect([...postorder(spec, [15])]).toEqual([1, 13, 14, 15]);
  expect([...postorder(spec, [17, 4, 17])]).toEqual([1, 4, 17]);
  expect([...postorder(spec, [6])]).toEqual([1, 4, 7, 6]);
  expect([...postorder(spec, [0, 11])]).toEqual([11]);
  expect([...postorder(spec, [])]).toEqual([]);
});

test('postorder returns types of the base that split BTF refers to', () => {
  const base = assembleAllKinds('little');
  const bytes = new BtfAssembler('little', base.stringEnd).type(Kind.PTR, '', { sizeOrTypeId: 13 }).bytes();
  expect([...postorder(Spec.parse(bytes, { base: spec }), [30])]).toEqual([1, 13, 30]);
});

test('postorder distinguishes a wrong id of the caller from one in the BTF', () => {
  const broken = Spec.parse(new BtfAssembler('little').type(Kind.PTR, '', { sizeOrTypeId: 2 }).bytes());
  expect(() => [...postorder(broken, [2])]).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect(() => [...postorder(broken, [1])]).toThrow(
    expect.objectContaining({ code: 'MALFORMED', typeId: 1, message: expect.stringContaining('type id 2') }),
  );
});

test('postorder follows 100,000 types in a row, and cycles', () => {
  const btf = new BtfAssembler('little');
  for (let id = 1; id <= 100_000; id++) btf.type(Kind.PTR, 0, { sizeOrTypeId: (id % 100_000) + 1 });
  const order = [...postorder(Spec.parse(btf.bytes()), [1])];
  expect(order).toEqual(Array.from({ length: 100_000 }, (_, i) => 100_000 - i));
});

needs('vmlinux').test(
  'postorder of all of vmlinux has every type, after the types that it refers to except in cycles',
  () => {
    const vmlinux = Spec.parse(new Uint8Array(readFileSync(VMLINUX)));
    const place = new Map(
      [
        ...postorder(
          vmlinux,
          Array.from({ length: vmlinux.typeCount }, (_, i) => i + 1),
        ),
      ].map((id, i) => [id, i]),
    );
    expect(place.size).toBe(vmlinux.typeCount);
    let late = 0;
    let sound = 0;
    for (const type of vmlinux) {
      for (const child of children(type)) {
        if (child === 0) continue;
        if ((place.get(child) ?? -1) < (place.get(type.id) ?? -1)) sound += 1;
        else late += 1;
      }
    }
    expect(sound).toBeGreaterThan(vmlinux.typeCount);
    // Only a pointer leads back: a struct comes after the structs that it contains.
    expect(late).toBeLessThan(sound / 50);
  },
);
