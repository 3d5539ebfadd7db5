import type { Spec } from '../../spec.js';
import type { TypeId } from '../../types.js';
import { type FoundType, ownIds } from '../kernel-objects.js';

/** The declaration tag of functions that programs may call. */
const TAG = 'bpf_kfunc';

/** Kfuncs knows which functions of a kernel programs may call. */
export class Kfuncs {
  readonly #tagged = new Map<Spec, ReadonlySet<TypeId>>();

  /**
   * isCallable reports whether programs may call a function. It is true for every function of an object without tags:
   * older kernels have none.
   */
  isCallable({ spec, typeId }: FoundType): boolean {
    const tagged = this.#tagged.get(spec) ?? taggedOf(spec);
    this.#tagged.set(spec, tagged);
    return tagged.size === 0 || tagged.has(typeId);
  }
}

function taggedOf(spec: Spec): ReadonlySet<TypeId> {
  const tagged = new Set<TypeId>();
  for (const id of ownIds(spec, TAG, 'DECL_TAG')) {
    const tag = spec.typeById(id);
    if (tag.kind === 'DECL_TAG' && tag.componentIdx === -1) tagged.add(tag.typeId);
  }
  return tagged;
}
