import type { SelectionResultSchema } from '@btfd/api';
import type { Spec, TypeId } from '@btfd/btf';
import type { Init } from '../../base/message.js';
import type { Selector } from '../../base/selection.js';

/** Steps of matching in a turn: a few milliseconds. */
const STEPS_PER_TURN = 1_000_000;
/** The cost of looking at a type or a glob, in steps. */
const STEPS_PER_LOOK = 50;

/** SelectedTypes are the types of a selection, and its parts that matched nothing. */
export interface SelectedTypes {
  readonly ids: readonly TypeId[];
  readonly result: Init<typeof SelectionResultSchema>;
}

/**
 * findSelected returns a spec's own types that a selection matches. The generator yields when other jobs may have a
 * turn.
 */
export function* findSelected(spec: Spec, selector: Selector): Generator<null, SelectedTypes, void> {
  const { names, globs, kinds, ids } = selector;
  const everything = names.size === 0 && globs.length === 0 && ids.size === 0;
  const usesNames = names.size > 0 || globs.length > 0;
  const found: TypeId[] = [];
  const namesFound = new Set<string>();
  const globsFound = new Set<string>();
  let steps = 0;
  const isTurnOver = (more: number): boolean => {
    steps = steps < STEPS_PER_TURN ? steps + more : more;
    return steps >= STEPS_PER_TURN;
  };
  for (const id of spec.typeIds()) {
    if (isTurnOver(STEPS_PER_LOOK)) yield null;
    const ofKind = kinds.size === 0 || kinds.has(spec.kindOf(id));
    let selected = everything || ids.has(id);
    if (usesNames) {
      const name = spec.nameOf(id);
      if (names.has(name)) {
        namesFound.add(name);
        selected = true;
      }
      for (const { text, matches } of name === '' ? [] : globs) {
        // The worst case: a name that almost matches at every character.
        if (isTurnOver(STEPS_PER_LOOK + text.length * name.length)) yield null;
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
