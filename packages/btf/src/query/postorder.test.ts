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

test('postorder gives what a type refers to before it, each once, void never', () => {
  expect([...postorder(spec, [15])]).toEqual([1, 13, 14, 15]);
  expect([...postorder(spec, [17, 4, 17])]).toEqual([1, 4, 17]);
  expect([...postorder(spec, [6])]).toEqual([1, 4, 7, 6]);
  expect([...postorder(spec, [0, 11])]).toEqual([11]);
  expect([...postorder(spec, [])]).toEqual([]);
});

test('postorder gives a type of the base where split BTF refers to it', () => {
  const base = assembleAllKinds('little');
  const bytes = new BtfAssembler('little', base.stringEnd).type(Kind.PTR, '', { sizeOrTypeId: 13 }).bytes();
  expect([...postorder(Spec.parse(bytes, { base: spec }), [30])]).toEqual([1, 13, 30]);
});

test('postorder tells a wrong id of the caller from one of the BTF', () => {
  const broken = Spec.parse(new BtfAssembler('little').type(Kind.PTR, '', { sizeOrTypeId: 2 }).bytes());
  expect(() => [...postorder(broken, [2])]).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect(() => [...postorder(broken, [1])]).toThrow(
    expect.objectContaining({ code: 'MALFORMED', typeId: 1, message: expect.stringContaining('type id 2') }),
  );
});

test('postorder goes 100,000 types deep and through circles', () => {
  const btf = new BtfAssembler('little');
  for (let id = 1; id <= 100_000; id++) btf.type(Kind.PTR, 0, { sizeOrTypeId: (id % 100_000) + 1 });
  const order = [...postorder(Spec.parse(btf.bytes()), [1])];
  expect(order).toEqual(Array.from({ length: 100_000 }, (_, i) => 100_000 - i));
});

needs('vmlinux').test(
  'postorder of all of vmlinux has every type, and late references only in circles',
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
    // Only a pointer leads back: what embeds comes after what is embedded.
    expect(late).toBeLessThan(sound / 50);
  },
);
