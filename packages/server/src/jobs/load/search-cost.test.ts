import { describe, expect, test } from '@jest/globals';
import { Builder, Kind, type Member, type NewType, type TypeId } from '@btfd/btf';
import { BtfWriter } from '../../testing/btf-bytes.js';
import { allSteps } from '../../testing/collect.js';
import { readRaw } from '../../testing/raw-btf.js';
import { searchCost, type SearchCost } from './search-cost.js';

const INT: NewType = { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 };

const member = (typeId: TypeId, bitOffset = 0): Member => ({ name: 'm', typeId, bitOffset, bitfieldSize: 0 });

const search = (bytes: Uint8Array): SearchCost => allSteps(searchCost(readRaw(bytes))).value;

/** Milliseconds, of which 0.5 are those of each search through the kernel's own types. */
const costOf = (bytes: Uint8Array): number => {
  const { ns, kernelSearches } = search(bytes);
  return ns / 1e6 + kernelSearches / 2;
};

/** Writes BTF that begins with an INT and the structs that are special to BPF programs. */
function setUp() {
  const builder = new Builder({ deduplicate: false });
  const sized = (name: string, size: number, ...members: Member[]) =>
    builder.add({ kind: 'STRUCT', name, size, members });
  const struct = (name: string, ...members: Member[]) => sized(name, 32, ...members);
  const int = builder.add(INT);
  const special = {
    lock: sized('bpf_spin_lock', 4, member(int)),
    head: sized('bpf_list_head', 16),
    tree: sized('bpf_rb_root', 16),
  };
  return {
    builder,
    int,
    struct,
    sized,
    ...special,
    cost: () => costOf(builder.marshal()),
    unsafe: () => search(builder.marshal()).unsafe,
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

describe('The cost of the kernel’s search', () => {
  test('is 0 for types that the kernel does not search', () => {
    const builder = new Builder({ deduplicate: false });
    const int = builder.add(INT);
    let inner = builder.add({ kind: 'STRUCT', name: 'leaf', size: 4, members: [member(int)] });
    for (let level = 0; level < 30; level++) {
      inner = builder.add({ kind: 'STRUCT', name: 's', size: 4, members: [member(inner), member(inner)] });
    }
    expect(costOf(builder.marshal())).toBe(0);
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
      expect(pointers(10, 1, 'user')).toBeLessThan(0.001);
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

  test('counts the binary search for the type of each member among the special types', () => {
    const cost = (pointerCount: number) => {
      const writer = new BtfWriter().type(Kind.TYPE_TAG, 'kptr').type(Kind.STRUCT, '', {
        vlen: 60_000,
        data: Array.from({ length: 60_000 }, () => ['a', 0, 0]).flat(),
      });
      for (let index = 0; index < pointerCount; index++) writer.type(Kind.PTR, '', { sizeOrTypeId: 1 });
      return costOf(writer.bytes());
    };
    // 300,000 members and 50,000 pointers took 0.17 s more than without, and 100,000 pointers 0.06 s.
    expect(cost(50_000)).toBeGreaterThan(170 / 5 / 2);
    expect(cost(50_000)).toBeLessThan(170);
    expect(cost(50_000)).toBeGreaterThan(2 * cost(100));
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
    expect(allSteps(searchCost(readRaw(builder.marshal()))).turns).toBeGreaterThan(1);
  });

  test('counts the members of the struct that a list contains, for each list and each common character', () => {
    const cost = (count: number, members: number, length: number): number => {
      const name = 'm'.repeat(length);
      const writer = new BtfWriter()
        .type(Kind.STRUCT, 'bpf_spin_lock', { sizeOrTypeId: 4 })
        .type(Kind.STRUCT, 'bpf_list_head', { sizeOrTypeId: 16 });
      const shared = writer.string(name);
      const data = Array.from({ length: members }, () => [shared, 1, 0]).flat();
      writer.type(Kind.STRUCT, 'element', { vlen: members, data });
      for (let index = 0; index < count; index++) {
        const sizeOrTypeId = writer.nextId;
        writer.type(Kind.STRUCT, '', { vlen: 2, sizeOrTypeId: 20, data: ['head', 2, 0, 'lock', 1, 128] });
        writer.type(Kind.DECL_TAG, `contains:element:${name}_`, { sizeOrTypeId, data: [0] });
      }
      return costOf(writer.bytes());
    };
    // 100 lists, 20,000 members and 499 characters took 0.9 s, 0.9 ns for each comparison of characters.
    expect(cost(100, 20_000, 499)).toBeGreaterThan(900);
    expect(cost(100, 20_000, 499)).toBeLessThan(2 * 900);
    expect(cost(100, 20_000, 499) / cost(50, 20_000, 499)).toBeCloseTo(2, 0);
    expect(cost(10, 60_000, 499) / cost(10, 20_000, 499)).toBeCloseTo(3, 0);
    expect(cost(10, 20_000, 499) / cost(10, 20_000, 99)).toBeGreaterThan(4);
  });

  test.each(['kptr', 'user'])('counts the modifiers after each pointer, here tagged %s, once', (tag) => {
    const cost = (count: number, length: number): number => {
      const { builder, struct, cost: total } = setUp();
      let inner = struct('object');
      for (let index = 0; index < length; index++) inner = builder.add({ kind: 'CONST', typeId: inner });
      const tagged = builder.add({ kind: 'TYPE_TAG', name: tag, typeId: inner, attribute: false });
      const pointer = builder.add({ kind: 'PTR', typeId: tagged });
      for (let index = 1; index < count; index++) builder.add({ kind: 'PTR', typeId: tagged });
      const volatilePointer = builder.add({ kind: 'VOLATILE', typeId: pointer });
      struct('', member(volatilePointer));
      return total();
    };
    // 10,000 × 10,000 took 0.37 s.
    expect(cost(10_000, 10_000)).toBeGreaterThan(370);
    expect(cost(10_000, 10_000)).toBeLessThan(3 * 370);
    expect(cost(4_000, 10_000) / cost(2_000, 10_000)).toBeCloseTo(2, 1);
  });

  test('of modifiers that lead back to themselves is finite', () => {
    const { builder, int, cost } = setUp();
    const first = int + 4;
    builder.add({ kind: 'CONST', typeId: first + 1 });
    builder.add({ kind: 'VOLATILE', typeId: first });
    builder.add({ kind: 'PTR', typeId: first });
    expect(cost()).toBeLessThan(1);
  });
});

describe('A struct on which some kernels crash or warn is found:', () => {
  test('an array of structs whose fields, counted in 32 bits, are few', () => {
    const { builder, int, sized, unsafe, lock } = setUp();
    const object = sized('object', 4, member(int));
    const tagged = builder.add({ kind: 'TYPE_TAG', name: 'kptr', typeId: object, attribute: false });
    const pointer = builder.add({ kind: 'PTR', typeId: tagged });
    const one = builder.add({ kind: 'ARRAY', typeId: pointer, indexTypeId: int, nelems: 1 });
    const ten = sized('ten', 8, ...Array.from({ length: 10 }, () => member(one)));
    const many = builder.add({ kind: 'ARRAY', typeId: ten, indexTypeId: int, nelems: 0x1999999a });
    const none = builder.add({ kind: 'ARRAY', typeId: ten, indexTypeId: int, nelems: 0 });
    sized('none', 32, member(lock), member(none, 64));
    sized('ten and a lock', 32, member(lock), member(ten, 64));
    expect(unsafe()).toBeNull();
    const typeId = sized('many', 0xffffffff, member(lock), member(many, 64));
    expect(unsafe()).toMatchObject({ typeId, problem: 'has more than 11 special fields' });
  });

  test('more fields than the kernel allows, in an array of arrays that multiply to more than 32 bits', () => {
    const { builder, int, sized, unsafe, lock, head } = setUp();
    const inner = builder.add({ kind: 'ARRAY', typeId: head, indexTypeId: int, nelems: 0x10000 });
    const outer = builder.add({ kind: 'ARRAY', typeId: inner, indexTypeId: int, nelems: 0x10000 });
    const typeId = sized('s', 64, member(lock), member(outer, 64));
    expect(unsafe()).toMatchObject({ typeId, problem: 'has more than 11 special fields' });
  });

  test('pointers whose tag comes after any number of other modifiers, which Linux 7.2 accepts', () => {
    const { builder, int, sized, unsafe, lock } = setUp();
    const object = sized('object', 4, member(int));
    let to = builder.add({ kind: 'TYPE_TAG', name: 'kptr', typeId: object, attribute: false });
    for (let index = 0; index < 100; index++) to = builder.add({ kind: 'CONST', typeId: to });
    const pointer = builder.add({ kind: 'PTR', typeId: to });
    const many = builder.add({ kind: 'ARRAY', typeId: pointer, indexTypeId: int, nelems: 12 });
    const typeId = sized('s', 104, member(lock), member(many, 64));
    expect(unsafe()).toMatchObject({ typeId, problem: 'has more than 11 special fields' });
  });

  test.each([
    ['bpf_spin_lock', 'has more than one lock'],
    ['bpf_refcount', 'has more than one bpf_refcount'],
  ])('a second %s, also in a nested struct', (name, problem) => {
    const { builder, int, sized, unsafe } = setUp();
    const field = sized(name, 4, member(int));
    const inner = sized('inner', 4, member(field));
    const none = builder.add({ kind: 'ARRAY', typeId: inner, indexTypeId: int, nelems: 0 });
    sized('one and none', 4, member(field), member(none, 32));
    sized('inners', 8, member(inner), member(inner, 32));
    sized('one', 4, member(field));
    expect(unsafe()).toBeNull();
    const typeId = sized('two', 8, member(field), member(inner, 32));
    expect(unsafe()).toMatchObject({ typeId, problem });
  });

  test('a lock of each kind, but not two that no kernel searches for', () => {
    const { int, lock, sized, unsafe } = setUp();
    const other = sized('bpf_res_spin_lock', 4, member(int));
    sized('two others', 8, member(other), member(other, 32));
    expect(unsafe()).toBeNull();
    const typeId = sized('two', 8, member(lock), member(other, 32));
    expect(unsafe()).toMatchObject({ typeId, problem: 'has more than one lock' });
  });

  test('locks in a struct that kernels search because of a struct of a special name with another size', () => {
    const { int, lock, sized, unsafe } = setUp();
    const other = sized('bpf_res_spin_lock', 4, member(int));
    const inner = sized('inner', 4, member(lock));
    const tree = sized('bpf_rb_node', 20);
    sized('not searched', 8, member(inner), member(other, 32));
    expect(unsafe()).toBeNull();
    const typeId = sized('two', 28, member(tree), member(inner, 160), member(other, 192));
    expect(unsafe()).toMatchObject({ typeId, problem: 'has more than one lock' });
  });

  test('but not fields that are not aligned, which the kernel ignores', () => {
    const { builder, int, lock, head, sized, unsafe } = setUp();
    const many = builder.add({ kind: 'ARRAY', typeId: head, indexTypeId: int, nelems: 20 });
    sized('unaligned', 400, member(lock), member(lock, 48), member(many, 96));
    expect(unsafe()).toBeNull();
  });

  test('but not structs of such a name with another size, which the kernel ignores', () => {
    const { int, sized, unsafe } = setUp();
    const field = sized('bpf_refcount', 8, member(int));
    sized('two', 16, member(field), member(field, 64));
    expect(unsafe()).toBeNull();
  });
});
