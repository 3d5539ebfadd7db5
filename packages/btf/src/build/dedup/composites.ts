import { isComposite, kindTest } from '../../kind-words.js';
import { Kind, type TypeId } from '../../types.js';
import type { DedupState } from './dedup-state.js';
import { Equivalence } from './equivalence.js';
import { graphHashes } from './graph-hash.js';
import { isDeclarationOf, sameShape } from './same-shape.js';

/**
 * mapComposites maps equivalent STRUCTs, UNIONs and TYPEDEFs to one of them. Types can form cycles through these
 * kinds, so their references cannot be compared as ids.
 */
export function mapComposites(state: DedupState): void {
  const { own, referred } = graphHashes(state);
  const equivalence = new Equivalence(state, referred);
  const byHash = new Map<number, TypeId[]>();
  for (let id = 1; id < state.endTypeId; id++) {
    if (!isGraph(state.kind(id))) continue;
    const isBase = id < state.firstTypeId;
    if (!isBase && state.isMapped(id)) continue;
    const hash = own[id] ?? 0;
    const candidates = byHash.get(hash) ?? [];
    const canonical = isBase ? id : (candidates.find((other) => stands(state, equivalence, id, other)) ?? id);
    if (!isBase) state.map(id, canonical);
    if (canonical !== id) continue;
    candidates.push(id);
    byHash.set(hash, candidates);
  }
}

/** Whether types can form cycles through a kind. */
const isGraph = kindTest(({ dedup }) => dedup === 'GRAPH');

function stands(state: DedupState, equivalence: Equivalence, id: TypeId, canonical: TypeId): boolean {
  state.step(id);
  return sameShape(state, id, canonical) && equivalence.test(id, canonical) === 'EQUIVALENT';
}

/** Marks a name that several canonical structs or unions have. */
const AMBIGUOUS = 0;

/** mapForwards maps a FWD to the canonical struct or union of its kind and name, if there is exactly one. */
export function mapForwards(state: DedupState): void {
  const byName = new Map<number, TypeId>();
  for (let id = 1; id < state.endTypeId; id++) {
    if (!isComposite(state.kind(id)) || !state.isCanonical(id)) continue;
    const name = state.word(id, 0);
    byName.set(name, byName.has(name) ? AMBIGUOUS : id);
  }
  for (let id = state.firstTypeId; id < state.endTypeId; id++) {
    if (state.kind(id) !== Kind.FWD || !state.isCanonical(id)) continue;
    const declared = byName.get(state.word(id, 0)) ?? AMBIGUOUS;
    if (declared !== AMBIGUOUS && isDeclarationOf(state, id, declared)) state.map(id, declared);
  }
}
