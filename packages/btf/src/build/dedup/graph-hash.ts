import { isComposite } from '../../kind-words.js';
import { Kind, type TypeId } from '../../types.js';
import { HASH_SEED, mixHash } from '../../words.js';
import type { TypeGraph } from './type-graph.js';

/**
 * The number of references over which a difference changes a hash. Kernels have many structs of one shape that lead to
 * different types, mostly through a pointer.
 */
const ROUNDS = 2;

/** GraphHashes are hashes of types over the types that they lead to, by id. */
export interface GraphHashes {
  /** For types that others refer to: equal if the types may correspond to each other in equivalent graphs. */
  readonly referred: Int32Array;
  /** For types at which a comparison starts: equal if the types may be equivalent. Fewer types have equal ones. */
  readonly own: Int32Array;
}

/**
 * graphHashes hashes types over what they lead to, so that few types of one hash turn out to be different. In equivalent
 * graphs, a FWD may stand for a struct or union of its name, and an enum without values for another enum. So if there is
 * such a declaration, references to types of its name are hashed by the name only.
 */
export function graphHashes(graph: TypeGraph): GraphHashes {
  const { endTypeId, shapeHashes, references, starts } = graph;
  const declared = declaredHashes(graph);
  const referred = shapeHashes.slice();
  const own = new Int32Array(endTypeId);
  for (let round = 0; round <= ROUNDS; round++) {
    for (let id = 1; id < endTypeId; id++) {
      if (declared[id] !== 0) referred[id] = declared[id] ?? 0;
      else if (round > 0) referred[id] = own[id] ?? 0;
    }
    if (round === ROUNDS) break;
    for (let id = 1; id < endTypeId; id++) {
      let hash = shapeHashes[id] ?? 0;
      const end = starts[id + 1] ?? 0;
      for (let at = starts[id] ?? 0; at < end; at++) {
        hash = mixHash(hash, referred[references[at] ?? 0] ?? 0);
      }
      own[id] = hash;
    }
  }
  return { referred, own };
}

/** The hashes of the names of declarations, and of types that they may declare; 0 for other types. */
function declaredHashes(graph: TypeGraph): Int32Array {
  const { endTypeId, kinds } = graph;
  const declarations = new Set<number>();
  for (let id = 1; id < endTypeId; id++) {
    const isDeclaration = kinds[id] === Kind.FWD || (graph.isEnum(id) && graph.vlen(id) === 0);
    if (isDeclaration) declarations.add(nameHash(graph, id));
  }
  const hashes = new Int32Array(endTypeId);
  for (let id = 1; id < endTypeId; id++) {
    if (!isComposite(kinds[id] ?? 0) && kinds[id] !== Kind.FWD && !graph.isEnum(id)) continue;
    const hash = nameHash(graph, id);
    if (declarations.has(hash)) hashes[id] = hash;
  }
  return hashes;
}

/** Hashes the name of a type, and whether it is or declares a struct, a union or an enum. Never 0. */
function nameHash(graph: TypeGraph, id: TypeId): number {
  const kind = graph.kinds[id] ?? 0;
  const of = kind === Kind.FWD ? graph.forwardKind(id) : graph.isEnum(id) ? Kind.ENUM : kind;
  return mixHash(mixHash(HASH_SEED, of), graph.name(id)) || 1;
}
