import { Builder, type Member, type TypeId } from '@btfd/btf';

function member(name: string, typeId: TypeId, bitOffset: number): Member {
  return { name, typeId, bitOffset, bitfieldSize: 0 };
}

function withLock(): { readonly builder: Builder; readonly int: TypeId; readonly lock: TypeId } {
  const builder = new Builder({ deduplicate: false });
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const members = [member('val', int, 0)];
  return { builder, int, lock: builder.add({ kind: 'STRUCT', name: 'bpf_spin_lock', size: 4, members }) };
}

/**
 * slowBtf returns BTF that the kernel checks in a time that grows with the square of `count`: for each struct with a
 * list head it searches all types for the tag that names the list's elements. 16,000 take about a second.
 */
export function slowBtf(count: number): Uint8Array {
  const { builder, lock } = withLock();
  const head = builder.add({ kind: 'STRUCT', name: 'bpf_list_head', size: 16, members: [] });
  const node = builder.add({ kind: 'STRUCT', name: 'bpf_list_node', size: 24, members: [] });
  builder.add({ kind: 'STRUCT', name: 'element', size: 24, members: [member('node', node, 0)] });
  const members = [member('head', head, 0), member('lock', lock, 128)];
  const lists = Array.from({ length: count }, () => builder.add({ kind: 'STRUCT', size: 24, members }));
  for (const typeId of lists) {
    const name = 'contains:element:node';
    builder.add({ kind: 'DECL_TAG', name, typeId, componentIdx: 0, attribute: false });
  }
  return builder.marshal();
}

/**
 * nestedStructs returns BTF that the kernel checks in a time that doubles with each level: in a struct with a lock it
 * searches each member that is a struct, and so on in those. 20 levels take a third of a second.
 */
export function nestedStructs(levels: number, each = 2): Uint8Array {
  const { builder, int, lock } = withLock();
  let inner = builder.add({ kind: 'STRUCT', name: 'leaf', size: 4, members: [member('value', int, 0)] });
  for (let level = 0; level < levels; level++) {
    const members = Array.from({ length: each }, (_, index) => member(`m${index}`, inner, 0));
    inner = builder.add({ kind: 'STRUCT', name: `level${level}`, size: 4, members });
  }
  const members = [member('lock', lock, 0), member('inner', inner, 32)];
  builder.add({ kind: 'STRUCT', name: 'root', size: 8, members });
  return builder.marshal();
}

/** functions returns BTF of functions with one prototype. For each of them the kernel checks all 65,535 parameters. */
export function functions(count: number): Uint8Array {
  const { builder, int } = withLock();
  const params = Array.from({ length: 65_535 }, () => ({ name: 'p', typeId: int }));
  const typeId = builder.add({ kind: 'FUNC_PROTO', returnTypeId: 0, params });
  for (let index = 0; index < count; index++) builder.add({ kind: 'FUNC', name: 'f', typeId, linkage: 0 });
  return builder.marshal();
}

/**
 * graphRoots returns BTF of lists whose elements link through a member of a struct with many members. For each list the
 * kernel compares the name of that member, of 500 characters, with the names of all members.
 */
export function graphRoots(count: number, members: number): Uint8Array {
  const { builder, int, lock } = withLock();
  const head = builder.add({ kind: 'STRUCT', name: 'bpf_list_head', size: 16, members: [] });
  const node = builder.add({ kind: 'STRUCT', name: 'bpf_list_node', size: 24, members: [] });
  const name = 'm'.repeat(499);
  const others = Array.from({ length: members }, () => member(name, int, 192));
  builder.add({
    kind: 'STRUCT',
    name: 'element',
    size: 28,
    members: [member(`${name}_`, node, 0), ...others],
  });
  const own = [member('head', head, 0), member('lock', lock, 128)];
  const lists = Array.from({ length: count }, () => builder.add({ kind: 'STRUCT', size: 24, members: own }));
  for (const typeId of lists) {
    const tag = `contains:element:${name}_`;
    builder.add({ kind: 'DECL_TAG', name: tag, typeId, componentIdx: 0, attribute: false });
  }
  return builder.marshal();
}

/** modifierChains returns BTF of pointers tagged `kptr` to a chain of qualifiers. The kernel follows it for each of them. */
export function modifierChains(count: number, length: number): Uint8Array {
  const { builder, lock } = withLock();
  let inner = lock;
  for (let index = 0; index < length; index++) inner = builder.add({ kind: 'CONST', typeId: inner });
  const tag = builder.add({ kind: 'TYPE_TAG', name: 'kptr', typeId: inner, attribute: false });
  for (let index = 0; index < count; index++) builder.add({ kind: 'PTR', typeId: tag });
  return builder.marshal();
}

/** longParams returns BTF that the kernel refuses for a long name. Its log walks the whole name for each parameter. */
export function longParams(count: number, length: number): Uint8Array {
  const { builder, int } = withLock();
  const params = Array.from({ length: count }, () => ({ name: 'p', typeId: int }));
  builder.add({ kind: 'FUNC_PROTO', returnTypeId: 0, params });
  return withLongerName(builder.marshal(), length - 1);
}

/** Adds characters to the last name of BTF, which the builder would check for each parameter. */
function withLongerName(rawBtf: Uint8Array, more: number): Uint8Array {
  const longer = new Uint8Array(rawBtf.length + more);
  longer.set(rawBtf);
  longer.fill('p'.charCodeAt(0), rawBtf.length - 1, longer.length - 1);
  const view = new DataView(longer.buffer);
  view.setUint32(STRINGS_LENGTH, view.getUint32(STRINGS_LENGTH, true) + more, true);
  return longer;
}

/** The position of the length of the strings, which are the last section, in the header. */
const STRINGS_LENGTH = 20;
