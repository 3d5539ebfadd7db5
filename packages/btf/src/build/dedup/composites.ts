import { Kind, type TypeId } from '../../types.js';
import { type DedupState, isComposite } from './dedup-state.js';
import { Equivalence } from './equivalence.js';
import { isDeclarationOf, sameShape, shapeHash } from './same-shape.js';
import { kindsWhere } from '../../kind-words.js';

/**
 * mapComposites lets one of equivalent STRUCTs, UNIONs and TYPEDEFs stand for the others: the kinds through
 * which types can form circles, so that their references cannot be compared as ids.
 */
export function mapComposites(state: DedupState): void {
  const equivalence = new Equivalence(state);
  const byShape = new Map<number, TypeId[]>();
  for (let id = 1; id < state.endTypeId; id++) {
    if (!GRAPHS.has(state.kind(id))) continue;
    const isBase = id < state.firstTypeId;
    if (!isBase && state.isMapped(id)) continue;
    const hash = shapeHash(state, id);
    const candidates = byShape.get(hash) ?? [];
    const canonical = isBase ? id : (candidates.find((other) => stands(state, equivalence, id, other)) ?? id);
    if (!isBase) state.map(id, canonical);
    if (canonical !== id) continue;
    candidates.push(id);
    byShape.set(hash, candidates);
  }
}

/** Kinds through which types can form circles. */
const GRAPHS = kindsWhere(({ dedup }) => dedup === 'GRAPH');

function stands(state: DedupState, equivalence: Equivalence, id: TypeId, canonical: TypeId): boolean {
  state.step(id);
  return sameShape(state, id, canonical) && equivalence.test(id, canonical) === 'EQUIVALENT';
}

/** Says that several canonical composites have a name. */
const AMBIGUOUS = 0;

/** mapForwards lets the only canonical struct or union of its name stand for a FWD of the same kind. */
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
