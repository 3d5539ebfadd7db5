import { kindTest } from '../../kind-words.js';
import { Kind, type TypeId } from '../../types.js';
import { HASH_SEED, mixHash } from '../../words.js';
import type { TypeGraph } from './type-graph.js';

/** GraphHashes are hashes of types over the types that they lead to, by id. */
export interface GraphHashes {
  /** For types that others refer to: equal if the types may correspond to each other in equivalent graphs. */
  readonly referred: Int32Array;
  /**
   * For STRUCTs, UNIONs and TYPEDEFs at which a comparison starts: equal if they may be equivalent. Fewer types have equal
   * ones.
   */
  readonly own: Int32Array;
}

/**
 * graphHashes hashes types over what they lead to, so that few types of one hash turn out to be different. In equivalent
 * graphs, a FWD may stand for a struct or union of its name, and an enum without values for another enum. So if there is
 * such a declaration, references to types of its name are hashed by the name only.
 *
 * Hashes of composites cover two references: kernels have many structs of one shape that lead to different types, mostly
 * through a pointer.
 */
export function graphHashes(graph: TypeGraph): GraphHashes {
  const { endTypeId, kinds, shapes } = graph;
  const declared = declaredHashes(graph);
  const first = new Int32Array(endTypeId);
  for (let id = 1; id < endTypeId; id++) first[id] = declared[id] || mixHash(HASH_SEED, shapes[id] ?? 0);
  const referred = first.slice();
  for (let id = 1; id < endTypeId; id++) {
    if (declared[id] === 0 && isReferable(kinds[id] ?? 0)) referred[id] = hashOver(graph, id, first);
  }
  const own = new Int32Array(endTypeId);
  for (let id = 1; id < endTypeId; id++) {
    if (isGraph(kinds[id] ?? 0)) own[id] = hashOver(graph, id, referred);
  }
  for (let id = 1; id < endTypeId; id++) {
    if (declared[id] === 0 && isGraph(kinds[id] ?? 0)) referred[id] = own[id] ?? 0;
  }
  return { referred, own };
}

/** Whether types can form cycles through a kind. */
export const isGraph = kindTest(({ dedup }) => dedup === 'GRAPH');

/** Whether composites may refer to a kind. */
const isReferable = kindTest(({ referable }) => referable);

/** Hashes a type over the hashes of the types that it refers to. */
function hashOver({ shapes, references, starts }: TypeGraph, id: TypeId, hashes: Int32Array): number {
  const end = starts[id + 1] ?? 0;
  let hash = mixHash(HASH_SEED, shapes[id] ?? 0);
  for (let at = starts[id] ?? 0; at < end; at++) hash = mixHash(hash, hashes[references[at] ?? 0] ?? 0);
  return hash;
}

/** The kind that a type is or declares, with one for both kinds of enums; 0 if no declaration may stand for the type. */
function declaredKind(graph: TypeGraph, id: TypeId): number {
  switch (graph.kinds[id]) {
    case Kind.STRUCT:
    case Kind.UNION:
      return graph.kinds[id] ?? 0;
    case Kind.FWD:
      return graph.forwardKind(id);
    case Kind.ENUM:
    case Kind.ENUM64:
      return Kind.ENUM;
    default:
      return 0;
  }
}

/** The hashes of the names of declarations, and of types that they may declare; 0 for other types. */
function declaredHashes(graph: TypeGraph): Int32Array {
  const { endTypeId, kinds, names } = graph;
  /** For each name a bit for each kind of which there is a declaration. */
  const declared = new Uint32Array(graph.nameCount);
  for (let id = 1; id < endTypeId; id++) {
    if (kinds[id] !== Kind.FWD && (!graph.isEnum(id) || graph.vlen(id) > 0)) continue;
    const name = names[id] ?? 0;
    declared[name] = (declared[name] ?? 0) | (1 << declaredKind(graph, id));
  }
  const hashes = new Int32Array(endTypeId);
  for (let id = 1; id < endTypeId; id++) {
    const bits = declared[names[id] ?? 0] ?? 0;
    if (bits === 0) continue;
    const kind = declaredKind(graph, id);
    // 0 is for other types.
    if (kind !== 0 && (bits & (1 << kind)) !== 0)
      hashes[id] = mixHash(mixHash(HASH_SEED, kind), names[id] ?? 0) || 1;
  }
  return hashes;
}
