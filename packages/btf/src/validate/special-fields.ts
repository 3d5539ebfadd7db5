import { HEAD_WORDS } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { GraphRoots } from './graph-roots.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';
import { type CheckedStruct, checkOwnership } from './ownership.js';
import type { ProblemList } from './problem.js';
import type { RawTypes } from './raw-types.js';
import type { Resolution } from './resolution.js';
import { SPECIAL_KINDS, type SpecialName } from './special-kinds.js';
import { type SpecialField, SpecialSearch } from './special-search.js';

/** The number of nested structs in which the kernel looks for special fields (MAX_RESOLVE_DEPTH). */
const MAX_HEIGHT = 31;

/**
 * checkSpecialFields checks the structs with fields that are special to BPF programs (Linux 6.2 and later). The kernel
 * logs nothing about them, so each message ends with the name of the errno. All types must be resolved.
 *
 * Each struct is searched once, whatever contains it.
 */
export function checkSpecialFields(
  types: RawTypes,
  resolution: Resolution,
  features: KernelFeatures,
  problems: ProblemList,
): void {
  if (!features.specialFields) return;
  const roots = new GraphRoots(types);
  const search = new SpecialSearch(types, resolution, roots, features);
  const sought = soughtTypes(types, search, features);
  if (sought === null) return;
  const checked = new Map<TypeId, CheckedStruct>();
  for (let id = 1; id < types.end && !problems.full; id++) {
    if (types.kind(id) !== Kind.STRUCT || !hasMember(types, id, sought)) continue;
    const { fields, height, problem } = search.search(id);
    if (problem !== null) problems.add(id, problem.message, problem.member);
    else if (height > MAX_HEIGHT) problems.add(id, 'Structs nested too deep (E2BIG)');
    else if (fields.length === 0) problems.add(id, 'Special field of another size or alignment (EFAULT)');
    else checkFields(id, fields, roots, problems);
    checked.set(id, { id, fields });
  }
  if (problems.list.length > 0) return;
  checkOwnership(checked, features, problems);
}

/**
 * Marks the types that make the kernel search a struct: the first of each special name, and tagged pointers. Returns null
 * if there are none.
 */
function soughtTypes(types: RawTypes, search: SpecialSearch, features: KernelFeatures): Uint8Array | null {
  const found = new Set<SpecialName>();
  const sought = new Uint8Array(types.end);
  let any = false;
  for (let id = 1; id < types.end; id++) {
    const kind = types.kind(id);
    if (kind === Kind.STRUCT) {
      const special = search.kindOf(id);
      if (special === null || !special.sought || found.has(special.name)) continue;
      found.add(special.name);
      sought[id] = 1;
      any = true;
    } else if (features.pointerFields && (kind === Kind.PTR || kind === Kind.VOLATILE)) {
      // Problems of tagged pointers only count in structs with special fields.
      if (search.pointer(id) !== true) continue;
      sought[id] = 1;
      any = true;
    }
  }
  return any ? sought : null;
}

function hasMember(types: RawTypes, id: TypeId, sought: Uint8Array): boolean {
  const count = types.vlen(id);
  for (let i = 0; i < count; i++) {
    if (sought[types.word(id, HEAD_WORDS + i * 3 + 1)] === 1) return true;
  }
  return false;
}

function checkFields(
  id: TypeId,
  fields: readonly SpecialField[],
  roots: GraphRoots,
  problems: ProblemList,
): void {
  let end = 0;
  for (const { name, offset, size, root, member } of fields) {
    if (offset < end) return problems.add(id, 'Special fields overlap (EEXIST)', member);
    end = offset + size;
    const node = SPECIAL_KINDS.get(SPECIAL_KINDS.get(name)?.node ?? '');
    const message = root === null || node === undefined ? null : roots.problemOf(root, node);
    if (message !== null) return problems.add(id, message, member);
  }
  const has = (name: SpecialName): boolean => fields.some((field) => field.name === name);
  if (has('bpf_spin_lock') && has('bpf_res_spin_lock')) {
    return problems.add(id, 'bpf_spin_lock beside bpf_res_spin_lock (EINVAL)');
  }
  const needsLock = has('bpf_list_head') || has('bpf_rb_root');
  if (needsLock && !has('bpf_spin_lock') && !has('bpf_res_spin_lock')) {
    return problems.add(id, 'bpf_list_head or bpf_rb_root without a lock (EINVAL)');
  }
  if (has('bpf_list_node') && has('bpf_rb_node') && !has('bpf_refcount')) {
    problems.add(id, 'bpf_list_node and bpf_rb_node without bpf_refcount (EINVAL)');
  }
}
