import { isComposite, visitIds } from '../../kind-words.js';
import { Kind } from '../../types.js';
import { HASH_SEED, mixHash } from '../../words.js';
import type { DedupState } from './dedup-state.js';
import { shapeHash } from './same-shape.js';

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
export function graphHashes(state: DedupState): GraphHashes {
  const { table, endTypeId } = state;
  const { words } = table;
  const declared = declaredHashes(state);
  const shapes = new Int32Array(endTypeId);
  for (let id = 1; id < endTypeId; id++) shapes[id] = shapeHash(state, id);
  const referred = shapes.map((hash, id) => declared[id] || hash);
  const own = new Int32Array(endTypeId);
  for (let round = 0; round < ROUNDS; round++) {
    for (let id = 1; id < endTypeId; id++) {
      let hash = shapes[id] ?? 0;
      visitIds(words, table.offset(id), (at) => {
        hash = mixHash(hash, referred[words[at] ?? 0] ?? 0);
      });
      own[id] = hash;
    }
    for (let id = 1; id < endTypeId; id++) if (declared[id] === 0) referred[id] = own[id] ?? 0;
  }
  return { referred, own };
}

/** The hashes of the names of declarations, and of types that they may declare; 0 for other types. */
function declaredHashes(state: DedupState): Int32Array {
  const declarations = new Set<number>();
  for (let id = 1; id < state.endTypeId; id++) {
    const isDeclaration = state.kind(id) === Kind.FWD || (isEnum(state.kind(id)) && state.vlen(id) === 0);
    if (isDeclaration) declarations.add(nameHash(state, id));
  }
  return Int32Array.from({ length: state.endTypeId }, (_, id) => {
    if (!isComposite(state.kind(id)) && state.kind(id) !== Kind.FWD && !isEnum(state.kind(id))) return 0;
    const hash = nameHash(state, id);
    return declarations.has(hash) ? hash : 0;
  });
}

/** Hashes the name of a type, and whether it is or declares a struct, a union or an enum. Never 0. */
function nameHash(state: DedupState, id: number): number {
  const kind = state.kind(id);
  const of = kind === Kind.FWD ? state.forwardKind(id) : isEnum(kind) ? Kind.ENUM : kind;
  return mixHash(mixHash(HASH_SEED, of), state.word(id, 0)) || 1;
}

function isEnum(kind: number): boolean {
  return kind === Kind.ENUM || kind === Kind.ENUM64;
}
