import { Builder, type Member, type TypeId } from '@btfd/btf';

/** MOST_PARAMS is the largest number of parameters that 16 bits of vlen can hold. */
export const MOST_PARAMS = 65_535;

function member(name: string, typeId: TypeId, bitOffset = 0): Member {
  return { name, typeId, bitOffset, bitfieldSize: 0 };
}

/** Returns a builder with an INT, and with a lock that makes the kernel search for special fields. */
function withLock() {
  const builder = new Builder({ deduplicate: false });
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const struct = (name: string, size: number, ...members: Member[]): TypeId =>
    builder.add({ kind: 'STRUCT', name, size, members });
  return { builder, int, struct, lock: struct('bpf_spin_lock', 4, member('val', int)) };
}

/**
 * lists returns BTF of structs with one list each, and one tag each with the contents of the list. The kernel's time grows
 * with the square of `count`: for each list it searches all types for the tag. 16,000 take about a second.
 */
export function lists(count: number): Uint8Array {
  const { builder, struct, lock } = withLock();
  const head = struct('bpf_list_head', 16);
  const node = struct('bpf_list_node', 24);
  struct('element', 24, member('node', node));
  const ids = Array.from({ length: count }, () =>
    struct('', 24, member('head', head), member('lock', lock, 128)),
  );
  for (const typeId of ids) {
    const name = 'contains:element:node';
    builder.add({ kind: 'DECL_TAG', name, typeId, componentIdx: 0, attribute: false });
  }
  return builder.marshal();
}

/**
 * nestedStructs returns BTF of structs, each of which contains the previous one several times. In a struct with a lock the
 * kernel searches each member that is a struct, and so on in those. 20 levels of two take a third of a second.
 */
export function nestedStructs(levels: number, each = 2): Uint8Array {
  const { builder, int, struct, lock } = withLock();
  let inner = struct('leaf', 4, member('value', int));
  for (let level = 0; level < levels; level++) {
    const members = Array.from({ length: each }, (_, index) => member(`m${index}`, inner));
    inner = struct(`level${level}`, 4, ...members);
  }
  struct('root', 8, member('lock', lock), member('inner', inner, 32));
  return builder.marshal();
}

/** kernelPointers returns BTF of structs with one pointer each to an object that the kernel does not have. */
export function kernelPointers(count: number): Uint8Array {
  const { builder, int, struct } = withLock();
  const object = struct('btfd_no_such_object', 4, member('value', int));
  const tag = builder.add({ kind: 'TYPE_TAG', name: 'kptr_untrusted', typeId: object, attribute: false });
  const pointer = builder.add({ kind: 'PTR', typeId: tag });
  for (let index = 0; index < count; index++) struct('', 8, member('pointer', pointer));
  return builder.marshal();
}

/**
 * functions returns BTF of functions that share a prototype, with as many parameters as kernels before 7.2 accept. For each
 * function the kernel checks all of them.
 */
export function functions(count: number): Uint8Array {
  const { builder, int } = withLock();
  const params = Array.from({ length: MOST_PARAMS }, () => ({ name: 'p', typeId: int }));
  const typeId = builder.add({ kind: 'FUNC_PROTO', returnTypeId: 0, params });
  for (let index = 0; index < count; index++) builder.add({ kind: 'FUNC', name: 'f', typeId, linkage: 0 });
  return builder.marshal();
}

/** sharedNames returns BTF of enum values that share a name, the longest that the kernel accepts. */
export function sharedNames(count: number): Uint8Array {
  const { builder } = withLock();
  const value = { name: 'x'.repeat(511), value: 1 };
  for (let left = count; left > 0; left -= 50_000) {
    const values = Array.from({ length: Math.min(left, 50_000) }, () => value);
    builder.add({ kind: 'ENUM', name: '', size: 4, signed: false, values });
  }
  return builder.marshal();
}

/**
 * graphRoots returns BTF of lists in structs, whose elements link through a member of a struct with many members. For each
 * list the kernel compares the name of that member, of 500 characters, with the names of all members.
 */
export function graphRoots(count: number, members: number): Uint8Array {
  const { builder, struct, lock, int } = withLock();
  const head = struct('bpf_list_head', 16);
  const node = struct('bpf_list_node', 24);
  const prefix = 'm'.repeat(499);
  const others = Array.from({ length: members }, () => member(prefix, int, 192));
  struct('element', 28, member(`${prefix}_`, node), ...others);
  const ids = Array.from({ length: count }, () =>
    struct('', 24, member('head', head), member('lock', lock, 128)),
  );
  for (const typeId of ids) {
    const name = `contains:element:${prefix}_`;
    builder.add({ kind: 'DECL_TAG', name, typeId, componentIdx: 0, attribute: false });
  }
  return builder.marshal();
}

/**
 * modifierChains returns BTF of pointers tagged `kptr` to a struct after a chain of qualifiers. The kernel follows the chain
 * for each pointer.
 */
export function modifierChains(count: number, length: number): Uint8Array {
  const { builder, struct, int } = withLock();
  let inner = struct('object', 4, member('value', int));
  for (let index = 0; index < length; index++) inner = builder.add({ kind: 'CONST', typeId: inner });
  const tag = builder.add({ kind: 'TYPE_TAG', name: 'kptr', typeId: inner, attribute: false });
  for (let index = 0; index < count; index++) builder.add({ kind: 'PTR', typeId: tag });
  return builder.marshal();
}

/**
 * longParams returns BTF of a prototype whose parameters share a name that is too long. The kernel refuses it, and writes
 * the whole name into its log for each of them.
 */
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
