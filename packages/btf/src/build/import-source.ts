import type { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import { Components } from './components.js';
import { SpecReader } from './spec-reader.js';
import type { StringPool } from './string-pool.js';

/** ImportSource is a spec from which types are added, with the ids that they got. */
export class ImportSource {
  readonly spec: Spec;
  readonly reader: SpecReader;
  /** Ids in the builder by ids of the spec; 0 for types that were not added. */
  readonly ids: Int32Array;
  /** Only used for types that were not added. */
  readonly components: Components;
  #tags: ReadonlyMap<TypeId, readonly TypeId[]> | null = null;

  /** @param keptEnd the types before this id are those of the builder's base, and keep their ids. */
  constructor(spec: Spec, pool: StringPool, keptEnd: TypeId = 1) {
    this.spec = spec;
    this.reader = new SpecReader(spec, pool);
    this.ids = new Int32Array(spec.endTypeId);
    for (let id = 1; id < keptEnd; id++) this.ids[id] = id;
    this.components = new Components(spec.endTypeId);
  }

  /** tagsOf returns the DECL_TAGs of a type; undefined if there are none. */
  tagsOf(id: TypeId): readonly TypeId[] | undefined {
    this.#tags ??= this.#findTags();
    return this.#tags.get(id);
  }

  #findTags(): Map<TypeId, TypeId[]> {
    const tags = new Map<TypeId, TypeId[]>();
    for (let id = 1; id < this.spec.endTypeId; id++) {
      if (this.reader.kind(id) !== Kind.DECL_TAG) continue;
      this.reader.visitReferences(id, (tagged) => {
        const others = tags.get(tagged);
        if (others === undefined) tags.set(tagged, [id]);
        else others.push(id);
      });
    }
    return tags;
  }
}
