import type { SelectionResultSchema } from '@btfd/api';
import type { Spec, TypeId } from '@btfd/btf';
import type { Init } from '../../base/message.js';
import type { Selector } from '../../base/selection.js';
import type { WorkBudget } from '../work-budget.js';

/** The cost of looking at a type, in steps. */
const STEPS_PER_TYPE = 50;
/** The cost of a glob, in addition to reading the name once for each 32 places that could match it. */
const STEPS_PER_GLOB = 8;
const GLOB_BITS = 32;

/** SelectedTypes are the types of a selection, and its parts that matched nothing. */
export interface SelectedTypes {
  readonly ids: readonly TypeId[];
  readonly result: Init<typeof SelectionResultSchema>;
}

/**
 * findSelected returns a spec's own types that a selection matches. The generator yields when other jobs may have a
 * turn.
 *
 * @throws ServiceError WORK_TOO_LARGE if there are too many globs for so many types.
 */
export function* findSelected(
  spec: Spec,
  selector: Selector,
  budget: WorkBudget,
): Generator<null, SelectedTypes, void> {
  const { names, globs, kinds, ids } = selector;
  const everything = names.size === 0 && globs.length === 0 && ids.size === 0;
  const usesNames = names.size > 0 || globs.length > 0;
  // Each glob once, however often it was sent.
  const distinct = new Map(globs.map((glob) => [glob.text, glob]));
  const found: TypeId[] = [];
  const namesFound = new Set<string>();
  const globsFound = new Set<string>();
  for (const id of spec.typeIds()) {
    if (budget.spend(STEPS_PER_TYPE, 'types')) yield null;
    const ofKind = kinds.size === 0 || kinds.has(spec.kindOf(id));
    let selected = everything || ids.has(id);
    if (usesNames) {
      const name = spec.nameOf(id);
      if (names.has(name)) {
        namesFound.add(name);
        selected = true;
      }
      for (const { text, matches } of name === '' ? [] : distinct.values()) {
        // It would change nothing.
        if (selected && globsFound.has(text)) continue;
        const reads = Math.ceil(Math.min(text.length, name.length) / GLOB_BITS);
        if (budget.spend(STEPS_PER_GLOB + name.length * reads, 'globs')) yield null;
        if (!matches(name)) continue;
        globsFound.add(text);
        selected = true;
      }
    }
    if (selected && ofKind) found.push(id);
  }
  return {
    ids: found,
    result: {
      typeCount: found.length,
      namesNotFound: [...names].filter((name) => !namesFound.has(name)),
      globsNotMatched: globs.map(({ text }) => text).filter((text) => !globsFound.has(text)),
      idsNotFound: [...ids].filter((id) => id < spec.firstTypeId || id >= spec.endTypeId),
    },
  };
}
