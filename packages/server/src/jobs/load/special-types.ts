import { Kind, type TypeId } from '@btfd/btf';
import { SPECIAL_STRUCT } from '../../base/load-estimate.js';
import type { RawBtf } from './raw-btf.js';

/** Types visited in a step: a few milliseconds. */
const TYPES_PER_STEP = 50_000;

/** Time of the kernel for a modifier after a pointer, in nanoseconds: 4 to 6 measured on Linux 6.18. */
export const NS_PER_MODIFIER = 6;

/** Parts of the tags of pointers to objects of the kernel, including those of later kernels. */
const POINTER_TAG = /kptr|uptr/;
/** The tags of pointers that are fields of a struct (`uptr` is one only in maps). */
const FIELD_TAGS: ReadonlySet<string> = new Set(['kptr', 'kptr_untrusted', 'percpu_kptr']);

/** Special says how a type is special to the kernel's search. */
export const Special = {
  NO: 0,
  /** A struct with such a name that is not a field. A later kernel may search those that contain it. */
  OTHER: 1,
  /** The node of a list or tree. */
  NODE: 2,
  /** A lock. A struct may have one. */
  LOCK: 3,
  /** A reference count. A struct may have one. */
  COUNT: 4,
  /** The root of a list or tree, with elements of another type. */
  ROOT: 5,
  /** A pointer to an object of the kernel that is not a field. */
  POINTER: 6,
  /** A pointer to an object of the kernel. */
  FIELD_POINTER: 7,
  /** A lock that is a field, but does not make the kernel search those that contain it. */
  OTHER_LOCK: 8,
  /** A struct with the name of a field and another size. It is not a field, but kernels search those that contain it. */
  OTHER_SIZE: 9,
} as const;

/** Structs that are fields if they have one of these sizes. Nodes were smaller before Linux 6.6. */
const FIELDS: ReadonlyMap<string, { readonly special: number; readonly sizes: readonly number[] }> = new Map([
  ['bpf_spin_lock', { special: Special.LOCK, sizes: [4] }],
  ['bpf_res_spin_lock', { special: Special.OTHER_LOCK, sizes: [4] }],
  ['bpf_refcount', { special: Special.COUNT, sizes: [4] }],
  ['bpf_list_head', { special: Special.ROOT, sizes: [16] }],
  ['bpf_rb_root', { special: Special.ROOT, sizes: [16] }],
  ['bpf_list_node', { special: Special.NODE, sizes: [16, 24] }],
  ['bpf_rb_node', { special: Special.NODE, sizes: [24, 32] }],
]);

/** SpecialTypes are the types that the kernel searches for when it checks BTF. */
export interface SpecialTypes {
  /** The {@link Special} of each type. */
  readonly special: Uint8Array;
  /** The number of special types. */
  readonly count: number;
  /** The number of modifiers after each pointer. */
  readonly chains: Uint32Array;
  /** The sum of these: the kernel follows the modifiers of every pointer. */
  readonly chainSteps: number;
}

/**
 * specialTypes returns the special types. The generator yields when other jobs may have a turn.
 *
 * Before Linux 7.2 the kernel follows the modifiers of a pointer only if the first is a special tag. Since then it follows
 * those of every pointer.
 */
export function* specialTypes(btf: RawBtf): Generator<null, SpecialTypes, void> {
  const special = new Uint8Array(btf.end);
  const chains = new Uint32Array(btf.end);
  const tags = yield* structsAndTags(btf, special);
  const modifiers = new Modifiers(btf, tags);
  let chainSteps = 0;
  for (const kind of [Kind.PTR, Kind.VOLATILE]) {
    for (let id = 1; id < btf.end; id++) {
      if (id % TYPES_PER_STEP === 0) yield null;
      if (btf.kind(id) !== kind) continue;
      const to = btf.third(id);
      if (kind === Kind.PTR) {
        special[id] = modifiers.specialFrom(to);
        chains[id] = modifiers.stepsFrom(to);
      } else if (btf.kind(to) === Kind.PTR) {
        special[id] = special[to] ?? Special.NO;
        chains[id] = chains[to] ?? 0;
      }
      chainSteps += chains[id] ?? 0;
    }
  }
  const count = special.reduce((sum, each) => sum + (each === Special.NO ? 0 : 1), 0);
  return { special, count, chains, chainSteps };
}

/** Marks the special structs. Returns the special tags of pointers. */
function* structsAndTags(btf: RawBtf, special: Uint8Array): Generator<null, Map<TypeId, number>, void> {
  const tags = new Map<TypeId, number>();
  for (let id = 1; id < btf.end; id++) {
    if (id % TYPES_PER_STEP === 0) yield null;
    const kind = btf.kind(id);
    if (kind === Kind.STRUCT && btf.startsWith(btf.nameOffset(id), SPECIAL_STRUCT)) {
      const field = FIELDS.get(btf.name(btf.nameOffset(id)));
      const isSought = field !== undefined && field.special !== Special.OTHER_LOCK;
      const otherwise = isSought ? Special.OTHER_SIZE : Special.OTHER;
      special[id] = field?.sizes.includes(btf.third(id)) === true ? field.special : otherwise;
    }
    if (kind === Kind.TYPE_TAG && !btf.kindFlag(id)) {
      const name = btf.name(btf.nameOffset(id));
      if (POINTER_TAG.test(name)) {
        tags.set(id, FIELD_TAGS.has(name) ? Special.FIELD_POINTER : Special.POINTER);
      }
    }
  }
  return tags;
}

const MODIFIERS: ReadonlySet<number> = new Set([
  Kind.TYPEDEF,
  Kind.VOLATILE,
  Kind.CONST,
  Kind.RESTRICT,
  Kind.TYPE_TAG,
]);

function isModifier(kind: number): boolean {
  return MODIFIERS.has(kind);
}

/** Modifiers follows the modifiers after pointers, each of them once. */
class Modifiers {
  readonly #btf: RawBtf;
  readonly #tags: ReadonlyMap<TypeId, number>;
  readonly #steps: Uint32Array;
  readonly #special: Uint8Array;

  /** @param tags - the {@link Special} of each special tag */
  constructor(btf: RawBtf, tags: ReadonlyMap<TypeId, number>) {
    this.#btf = btf;
    this.#tags = tags;
    this.#steps = new Uint32Array(btf.end);
    this.#special = new Uint8Array(btf.end);
  }

  /** stepsFrom returns the number of modifiers from a type on. The kernel refuses those that lead back to themselves. */
  stepsFrom(first: TypeId): number {
    this.#follow(first);
    return this.#steps[first] ?? 0;
  }

  /** specialFrom returns the first special tag among them. Since Linux 7.2 other tags and qualifiers may precede it. */
  specialFrom(first: TypeId): number {
    this.#follow(first);
    return this.#special[first] ?? Special.NO;
  }

  #follow(first: TypeId): void {
    const path: TypeId[] = [];
    let id = first;
    while (this.#steps[id] === 0 && isModifier(this.#btf.kind(id))) {
      // Ends a walk in a circle.
      this.#steps[id] = 1;
      path.push(id);
      id = this.#btf.third(id);
    }
    let steps = this.#steps[id] ?? 0;
    let special = this.#special[id] ?? Special.NO;
    for (const each of path.toReversed()) {
      this.#steps[each] = steps += 1;
      this.#special[each] = special = this.#tags.get(each) ?? special;
    }
  }
}
