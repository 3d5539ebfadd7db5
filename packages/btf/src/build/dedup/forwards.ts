import { Kind } from '../../kind.js';
import type { TypeId } from '../../types.js';
import { type DedupState, isComposite } from './dedup-state.js';
import { isDeclarationOf } from './same-shape.js';

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
