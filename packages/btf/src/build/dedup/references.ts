import { BtfFormatError } from '../../format-error.js';
import { kindTest } from '../../kind-words.js';
import type { TypeId } from '../../types.js';
import { mixHash, RUN, withRoom } from '../../words.js';
import type { DedupState } from './dedup-state.js';
import { newSlots, withFreeSlots } from './id-slots.js';
import type { TypeGraph } from './type-graph.js';

/**
 * mapReferences maps types that refer to others, such as PTR and FUNC, to the first equal type. Types that can form
 * cycles are already mapped, so each chain of references ends. Each id is replaced by the id that it is mapped to. Then equal
 * types have equal shapes and ids. All VARs and DATASECs stay.
 *
 * @throws BtfFormatError `MALFORMED` for a cycle of references without a struct, union or typedef in it.
 */
export function mapReferences(state: DedupState): void {
  const { kinds } = state.graph;
  const index = new ReferenceIndex(state.graph);
  const underWay = new Uint8Array(state.endTypeId);
  for (let id = 1; id < state.firstTypeId; id++) if (isReference(kinds[id] ?? 0)) index.findOrAdd(id);
  for (let id = state.firstTypeId; id < state.endTypeId; id += RUN) mapRun(state, index, underWay, id);
}

/** Maps some types and those that they lead to. See {@link RUN}. */
function mapRun(state: DedupState, index: ReferenceIndex, underWay: Uint8Array, first: TypeId): void {
  const { kinds } = state.graph;
  const end = Math.min(state.endTypeId, first + RUN);
  let stack: Int32Array = new Int32Array(256);
  for (let root = first; root < end; root++) {
    if (state.isMapped(root)) continue;
    stack[0] = root;
    for (let length = 1; length > 0;) {
      const id = stack[length - 1] ?? 0;
      if (!isReference(kinds[id] ?? 0) && !state.isMapped(id)) state.map(id, id);
      if (state.isMapped(id)) {
        length -= 1;
        continue;
      }
      underWay[id] = 1;
      stack = withRoom(stack, length + state.graph.referenceCount(id));
      length = resolveIds(state, id, underWay, stack, length);
      if (stack[length - 1] === id) state.map(id, index.findOrAdd(id));
    }
  }
}

/** Whether types of a kind can only be compared after the types that they refer to are mapped. */
const isReference = kindTest(({ dedup }) => dedup === 'REFERENCES');

/** Resolves the ids in a type. Pushes those that are not mapped yet, and returns the new length of the stack. */
function resolveIds(
  state: DedupState,
  id: TypeId,
  underWay: Uint8Array,
  stack: Int32Array,
  length: number,
): number {
  const { references, starts } = state.graph;
  const end = starts[id + 1] ?? 0;
  let next = length;
  for (let at = starts[id] ?? 0; at < end; at++) {
    const target = references[at] ?? 0;
    if (state.isMapped(target)) references[at] = state.resolve(target);
    else if (underWay[target] === 1) throw cycleThrough(target);
    else stack[next++] = target;
  }
  return next;
}

function cycleThrough(typeId: TypeId): BtfFormatError {
  const message = 'type refers to itself without a struct, union or typedef in between';
  return new BtfFormatError('MALFORMED', message, { typeId });
}

/** ReferenceIndex finds types with the same shape and the same ids. */
class ReferenceIndex {
  readonly #graph: TypeGraph;
  #slots = newSlots();
  #count = 0;
  readonly #hashes: Int32Array;

  constructor(graph: TypeGraph) {
    this.#graph = graph;
    this.#hashes = new Int32Array(graph.endTypeId);
  }

  /** findOrAdd returns the equal type that was added first, or else adds the type, whose ids must not change afterwards. */
  findOrAdd(id: TypeId): TypeId {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const mask = slots.length - 1;
    const hash = this.#hash(id);
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const other = slots[at] ?? 0;
      if (other === 0) {
        slots[at] = id;
        hashes[id] = hash;
        this.#count += 1;
        this.#slots = withFreeSlots(slots, this.#count, hashes);
        return id;
      }
      if (hashes[other] === hash && this.#equals(other, id)) return other;
    }
  }

  #hash(id: TypeId): number {
    const { references, starts, shapes } = this.#graph;
    const end = starts[id + 1] ?? 0;
    let hash = shapes[id] ?? 0;
    for (let at = starts[id] ?? 0; at < end; at++) hash = mixHash(hash, references[at] ?? 0);
    return hash;
  }

  #equals(first: TypeId, second: TypeId): boolean {
    const { references, starts, shapes } = this.#graph;
    if (shapes[first] !== shapes[second]) return false;
    const start = starts[first] ?? 0;
    const end = starts[first + 1] ?? 0;
    const difference = (starts[second] ?? 0) - start;
    for (let at = start; at < end; at++) if (references[at] !== references[at + difference]) return false;
    return true;
  }
}
