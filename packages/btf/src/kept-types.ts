import type { Type, TypeId } from './types.js';

/** The decoded types of a kernel that have names take about 20 MB. */
const MAX_BYTES = 32 * 1024 * 1024;

/** About the sizes in memory of a decoded type, and of one of its elements, without their names. */
const TYPE_BYTES = 128;
const ELEMENT_BYTES = 96;

/**
 * KeptTypes keeps decoded types by the name or the id that found them, until a garbage collection. It drops all when they
 * take 32 MiB.
 */
export class KeptTypes {
  #types: WeakRef<Map<string | TypeId, readonly Type[]>> | null = null;
  #bytes = 0;

  /** get returns the types that are kept for a name or an id. */
  get(key: string | TypeId): readonly Type[] | undefined {
    return this.#types?.deref()?.get(key);
  }

  /** keep keeps the types of a name or an id, unless there are none: the number of names without types has no limit. */
  keep(key: string | TypeId, types: readonly Type[]): void {
    if (types.length === 0) return;
    let bytes = typeof key === 'string' ? 2 * key.length : 0;
    for (const type of types) bytes += bytesOf(type);
    if (bytes > MAX_BYTES) return;
    const kept = this.#types?.deref() ?? this.#renew();
    if (this.#bytes + bytes > MAX_BYTES) {
      // Not another map: what a WeakRef refers to lives until the end of the job.
      kept.clear();
      this.#bytes = 0;
    }
    kept.set(key, types);
    this.#bytes += bytes;
  }

  #renew(): Map<string | TypeId, readonly Type[]> {
    const types = new Map<string | TypeId, readonly Type[]>();
    this.#types = new WeakRef(types);
    this.#bytes = 0;
    return types;
  }
}

/** About the bytes of memory that a decoded type takes. */
function bytesOf(type: Type): number {
  let bytes = TYPE_BYTES + 2 * type.name.length;
  for (const { name } of namedElements(type)) bytes += ELEMENT_BYTES + 2 * name.length;
  return 'vars' in type ? bytes + ELEMENT_BYTES * type.vars.length : bytes;
}

function namedElements(type: Type): readonly { readonly name: string }[] {
  switch (type.kind) {
    case 'STRUCT':
    case 'UNION':
      return type.members;
    case 'ENUM':
    case 'ENUM64':
      return type.values;
    case 'FUNC_PROTO':
      return type.params;
    default:
      return [];
  }
}
