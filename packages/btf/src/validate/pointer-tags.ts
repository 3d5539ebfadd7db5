import { Kind, type TypeId } from '../types.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';
import { isModifier, latin1At, type RawTypes } from './raw-types.js';
import type { Resolution } from './resolution.js';
import { POINTER_TAGS } from './special-kinds.js';

/** No tag that matters is longer. */
const LONGEST_TAG = 32;

/** KeptPointer is a pointer that the kernel keeps for a program. */
export interface KeptPointer {
  /** Its target. */
  readonly structId: TypeId;
  /** Whether the target is freed with what has the pointer. */
  readonly owns: boolean;
}

/** The end of a chain of modifiers. */
interface ChainEnd {
  /** The first type that is not a modifier. */
  readonly typeId: TypeId;
  /** The bits of the tags in the chain, in the order of {@link POINTER_TAGS}. */
  readonly tags: number;
}

/** PointerTags finds pointers that the kernel keeps for a program, by their type tags. All types must be resolved. */
export class PointerTags {
  readonly #types: RawTypes;
  readonly #resolution: Resolution;
  readonly #features: KernelFeatures;
  readonly #names = [...POINTER_TAGS.keys()];
  /** The ends of chains by their first modifier: pointers may share one long chain. Made when they are needed. */
  #ends: { readonly typeIds: Int32Array; readonly tags: Uint8Array } | null = null;

  constructor(types: RawTypes, resolution: Resolution, features: KernelFeatures) {
    this.#types = types;
    this.#resolution = resolution;
    this.#features = features;
  }

  /** keptPointer returns such a pointer, or null if a type is not one. It returns a text if the pointer is invalid. */
  keptPointer(id: TypeId): KeptPointer | null | string {
    const types = this.#types;
    const pointerId = types.kind(id) === Kind.VOLATILE ? types.third(id) : id;
    if (types.kind(pointerId) !== Kind.PTR) return null;
    return this.#features.severalPointerTags ? this.#byAnyTag(pointerId) : this.#byFirstTag(pointerId);
  }

  /** Since Linux 7.2: the tags among all modifiers of the target count, except unknown ones and attributes. */
  #byAnyTag(pointerId: TypeId): KeptPointer | null | string {
    const target = this.#types.third(pointerId);
    // Most pointers lead to a type that is not a modifier.
    if (!isModifier(this.#types.kind(target))) return null;
    const { typeId, tags } = this.#chainEnd(target);
    if (tags === 0) return null;
    const names = this.#names.filter((_, bit) => (tags & (1 << bit)) !== 0);
    if (names.length > 1) return 'Pointer with several special type tags (EINVAL)';
    const [tag] = names;
    if (tag === undefined || POINTER_TAGS.get(tag) !== true) return null;
    return this.#types.kind(typeId) === Kind.STRUCT ? kept(tag, typeId) : notToStruct(tag);
  }

  /** Before Linux 7.2: the target is the only tag, and a known one. */
  #byFirstTag(pointerId: TypeId): KeptPointer | null | string {
    const types = this.#types;
    const tagId = types.third(pointerId);
    if (types.kind(tagId) !== Kind.TYPE_TAG || types.kindFlag(tagId)) return null;
    if (types.kind(types.third(tagId)) === Kind.TYPE_TAG) return 'Pointer with several type tags (EINVAL)';
    const tag = latin1At(types.strings, types.nameOffset(tagId), LONGEST_TAG);
    const counts = POINTER_TAGS.get(tag);
    if (counts === undefined || (tag === 'uptr' && !this.#features.userPointers)) {
      return 'Pointer with a type tag that is not for programs (EINVAL)';
    }
    if (!counts) return null;
    const target = this.#resolution.sizedId(tagId);
    return types.kind(target) === Kind.STRUCT ? kept(tag, target) : notToStruct(tag);
  }

  #chainEnd(first: TypeId): ChainEnd {
    const types = this.#types;
    this.#ends ??= { typeIds: new Int32Array(types.end).fill(-1), tags: new Uint8Array(types.end) };
    const { typeIds, tags } = this.#ends;
    const chain: TypeId[] = [];
    let id = first;
    for (; isModifier(types.kind(id)) && typeIds[id] === -1; id = types.third(id)) chain.push(id);
    const isKnown = isModifier(types.kind(id));
    const typeId = isKnown ? (typeIds[id] ?? 0) : id;
    let found = isKnown ? (tags[id] ?? 0) : 0;
    for (const modifier of chain.toReversed()) {
      found |= this.#tagBit(modifier);
      typeIds[modifier] = typeId;
      tags[modifier] = found;
    }
    return { typeId, tags: found };
  }

  #tagBit(id: TypeId): number {
    const types = this.#types;
    if (types.kind(id) !== Kind.TYPE_TAG || types.kindFlag(id)) return 0;
    const bit = this.#names.indexOf(latin1At(types.strings, types.nameOffset(id), LONGEST_TAG));
    return bit < 0 ? 0 : 1 << bit;
  }
}

function kept(tag: string, structId: TypeId): KeptPointer {
  return { structId, owns: tag !== 'kptr_untrusted' };
}

function notToStruct(tag: string): string {
  return `Pointer tagged ${tag} to a type that is not a struct (EINVAL)`;
}
