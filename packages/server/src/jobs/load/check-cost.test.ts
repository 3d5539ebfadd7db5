import { describe, expect, test } from '@jest/globals';
import { Builder, Spec, type Member, type NewType, type TypeId } from '@btfd/btf';
import { allSteps } from '../../testing/collect.js';
import { checkCost } from './check-cost.js';

const INT: NewType = { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 };

const member = (typeId: TypeId, bitOffset = 0): Member => ({ name: 'm', typeId, bitOffset, bitfieldSize: 0 });

/** Writes BTF that begins with an INT and the structs that are special to BPF programs. */
function setUp() {
  const builder = new Builder({ deduplicate: false });
  const struct = (name: string, ...members: Member[]) =>
    builder.add({ kind: 'STRUCT', name, size: 32, members });
  const int = builder.add(INT);
  const special = {
    lock: struct('bpf_spin_lock', member(int)),
    head: struct('bpf_list_head'),
    tree: struct('bpf_rb_root'),
  };
  return {
    builder,
    int,
    struct,
    ...special,
    cost: () => allSteps(checkCost(Spec.parse(builder.marshal()))).value,
  };
}

/** Structs with a list each, and a tag that names its elements. */
function lists(count: number, element = 'element'): number {
  const { builder, struct, lock, head, cost } = setUp();
  struct(element);
  for (let index = 0; index < count; index++) {
    const typeId = struct('', member(head), member(lock, 128));
    const name = `contains:${element}:node`;
    builder.add({ kind: 'DECL_TAG', name, typeId, componentIdx: 0, attribute: false });
  }
  return cost();
}

/** A struct with a lock, and nested structs with several members in each level. */
function nested(levels: number, width: number): number {
  const { int, struct, lock, cost } = setUp();
  let inner = struct('leaf', member(int));
  for (let level = 0; level < levels; level++) {
    inner = struct('', ...Array.from({ length: width }, () => member(inner)));
  }
  struct('root', member(lock), member(inner, 32));
  return cost();
}

/** Structs with several pointers to an object of the kernel each. */
function pointers(count: number, each: number, tag = 'kptr'): number {
  const { builder, struct, cost } = setUp();
  const object = struct('object');
  const tagged = builder.add({ kind: 'TYPE_TAG', name: tag, typeId: object, attribute: false });
  const pointer = builder.add({ kind: 'PTR', typeId: tagged });
  const members = Array.from({ length: each }, (_, index) => member(pointer, index * 64));
  for (let index = 0; index < count; index++) struct('', ...members);
  return cost();
}

describe('The cost of the kernel’s check', () => {
  test('is 0 for types that the kernel does not search', () => {
    const builder = new Builder({ deduplicate: false });
    const int = builder.add(INT);
    let inner = builder.add({ kind: 'STRUCT', name: 'leaf', size: 4, members: [member(int)] });
    for (let level = 0; level < 30; level++) {
      inner = builder.add({ kind: 'STRUCT', name: 's', size: 4, members: [member(inner), member(inner)] });
    }
    expect(allSteps(checkCost(Spec.parse(builder.marshal()))).value).toBe(0);
  });

  test('is low for ordinary programs', () => {
    expect(lists(20)).toBeLessThan(1);
    expect(nested(5, 4)).toBeLessThan(1);
    expect(pointers(10, 2)).toBeLessThan(50);
  });

  test('of lists grows with the square of their number', () => {
    const growth = lists(2_000) / lists(1_000);
    expect(growth).toBeGreaterThan(3.5);
    expect(growth).toBeLessThan(4.5);
    // 64,000 took 11 s, which is sixteen times the time of a quarter of them.
    expect(lists(16_000)).toBeGreaterThan(11_000 / 16);
  });

  test('of lists grows with the length of names with a common prefix', () => {
    expect(lists(1_000, 'e'.repeat(500))).toBeGreaterThan(lists(1_000));
  });

  test('of nested structs is exponential', () => {
    expect(nested(20, 2) / nested(19, 2)).toBeCloseTo(2, 1);
    expect(nested(12, 3) / nested(11, 3)).toBeCloseTo(3, 1);
    // 2^30 visits of 150 ns.
    expect(nested(29, 2)).toBeGreaterThan(100_000);
    expect(nested(31, 2_000)).toBeGreaterThan(1e80);
  });

  test.each(['kptr', 'kptr_untrusted', 'percpu_kptr', 'uptr'])(
    'of pointers tagged %s grows with their number, up to what one struct may have',
    (tag) => {
      expect(pointers(200, 2, tag) / pointers(100, 2, tag)).toBeCloseTo(2, 1);
      expect(pointers(100, 30, tag) / pointers(100, 40, tag)).toBeCloseTo(1, 2);
      expect(pointers(10, 1, 'user')).toBe(0);
    },
  );

  test('counts the elements of arrays and the fields of nested structs', () => {
    const { builder, int, struct, lock, tree, cost } = setUp();
    const inner = struct('inner', member(tree), member(lock, 128));
    const before = cost();
    const array = builder.add({ kind: 'ARRAY', typeId: inner, indexTypeId: int, nelems: 3 });
    struct('outer', member(lock), member(array, 32));
    expect(cost() / before).toBeGreaterThan(1.5);
    const tagged = builder.add({ kind: 'TYPE_TAG', name: 'kptr', typeId: inner, attribute: false });
    const pointer = builder.add({ kind: 'PTR', typeId: tagged });
    const volatilePointer = builder.add({ kind: 'VOLATILE', typeId: pointer });
    const many = builder.add({ kind: 'ARRAY', typeId: pointer, indexTypeId: int, nelems: 4 });
    struct('pointers', member(volatilePointer), member(many, 64));
    // Five searches of half a millisecond each.
    expect(Math.round(cost() - before)).toBe(3);
  });

  test('of structs that contain themselves is finite', () => {
    const { struct, lock, cost } = setUp();
    const before = struct('before');
    struct('first', member(lock), member(before + 2));
    struct('second', member(before + 1));
    expect(cost()).toBeLessThan(1);
  });

  test('of a chain of 30,000 structs does not overflow the stack', () => {
    const { builder, struct, lock, cost } = setUp();
    const first = builder.add(INT);
    for (let index = 1; index < 30_000; index++) struct('', member(first + index + 1));
    struct('', member(lock));
    expect(cost()).toBeGreaterThan(0);
  });

  test('is calculated in steps', () => {
    const { struct, builder, head, lock } = setUp();
    for (let index = 0; index < 45_000; index++) struct('', member(head), member(lock, 128));
    expect(allSteps(checkCost(Spec.parse(builder.marshal()))).turns).toBeGreaterThan(1);
  });
});
