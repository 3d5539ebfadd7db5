import type { SelectionResultSchema } from '@btfd/api';
import type { Spec, TypeId } from '@btfd/btf';
import type { Init } from '../base/message.js';
import type { Selector } from '../base/selection.js';
import type { Budget } from '../base/work-budget.js';

/** The cost of looking at a type, in steps. */
const STEPS_PER_TYPE = 50;
/** More names than this are looked up by a pass over all types, whose time does not depend on their number. */
const FEW_NAMES = 16;

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
  budget: Budget,
): Generator<null, SelectedTypes, void> {
  const { globs, names, ids } = selector;
  const found = new Found();
  if (globs.length === 0 && names.size <= FEW_NAMES && (names.size > 0 || ids.size > 0)) {
    yield* search(spec, selector, budget, found);
  } else {
    yield* scan(spec, selector, budget, found);
  }
  return {
    ids: found.ids,
    result: {
      typeCount: found.ids.length,
      namesNotFound: [...names].filter((name) => !found.names.has(name)),
      globsNotMatched: globs.map(({ text }) => text).filter((text) => !found.globs.has(text)),
      idsNotFound: [...ids].filter((id) => !isOwn(spec, id)),
    },
  };
}

class Found {
  ids: TypeId[] = [];
  readonly names = new Set<string>();
  readonly globs = new Set<string>();
}

/** Finds each name with the index of names. */
function* search(
  spec: Spec,
  { names, kinds, ids }: Selector,
  budget: Budget,
  found: Found,
): Generator<null, void, void> {
  const selected = new Set([...ids].filter((id) => isOwn(spec, id)));
  for (const name of names) {
    // In hostile BTF, all types may have names that the index compares with this one.
    if (budget.spend(spec.typeCount, 'names')) yield null;
    for (const id of spec.idsByName(name)) {
      if (!isOwn(spec, id)) continue;
      found.names.add(name);
      selected.add(id);
    }
  }
  const ofKind = [...selected].filter((id) => kinds.size === 0 || kinds.has(spec.kindOf(id)));
  found.ids = ofKind.toSorted((a, b) => a - b);
}

/** Looks at each type. */
function* scan(
  spec: Spec,
  { names, globs, kinds, ids }: Selector,
  budget: Budget,
  found: Found,
): Generator<null, void, void> {
  const everything = names.size === 0 && globs.length === 0 && ids.size === 0;
  const usesNames = names.size > 0 || globs.length > 0;
  // Each glob once, however often it was sent.
  const distinct = new Map(globs.map((glob) => [glob.text, glob]));
  for (const id of spec.typeIds()) {
    if (budget.spend(STEPS_PER_TYPE, 'types')) yield null;
    const ofKind = kinds.size === 0 || kinds.has(spec.kindOf(id));
    let selected = everything || ids.has(id);
    if (usesNames) {
      const name = spec.nameOf(id);
      if (names.has(name)) {
        found.names.add(name);
        selected = true;
      }
      for (const { text, matches } of name === '' ? [] : distinct.values()) {
        // It would change nothing.
        if (selected && found.globs.has(text)) continue;
        const reads = Math.ceil(Math.min(text.length, name.length) / GLOB_BITS);
        if (budget.spend(STEPS_PER_GLOB + name.length * reads, 'globs')) yield null;
        if (!matches(name)) continue;
        found.globs.add(text);
        selected = true;
      }
    }
    if (selected && ofKind) found.ids.push(id);
  }
}

function isOwn(spec: Spec, id: TypeId): boolean {
  return id >= spec.firstTypeId && id < spec.endTypeId;
}
