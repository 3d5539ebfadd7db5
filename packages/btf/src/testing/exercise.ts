import { BtfReadError } from '../format-error.js';
import { isSplit } from '../header.js';
import { Spec } from '../spec.js';
import { countTypes, surveyBtf } from '../type-index.js';
import type { Type } from '../types.js';

/** Outcomes counts the outcomes of reads of hostile BTF, so that a fuzz test that reaches nothing does not pass. */
export type Outcomes = Map<string, number>;

/**
 * exercise reads everything in BTF that may be broken. It throws if a read ends in anything but a value or a
 * BtfFormatError, if two ways to read the same thing differ, and if more is read than the bytes contain.
 */
export function exercise(bytes: Uint8Array, base: Spec | null, outcomes: Outcomes): void {
  attempt(outcomes, () => isSplit(bytes));
  const count = attempt(outcomes, () => countTypes(bytes));
  const survey = attempt(outcomes, () => surveyBtf(bytes));
  const spec = attempt(outcomes, () => Spec.parse(bytes, { base }));
  if (spec === undefined) return;
  check(base !== null || count === spec.typeCount, 'countTypes differs');
  check(base !== null || survey?.notes.length === spec.notes.length, 'notes differ');
  check(spec.notes.length <= 7, 'more notes than parts');
  check(spec.typeCount * 12 <= bytes.length, 'more types than bytes');
  let elements = 0;
  for (const id of spec.typeIds()) {
    const type = attempt(outcomes, () => spec.typeById(id));
    const name = attempt(outcomes, () => spec.nameOf(id));
    check(spec.kindOf(id) > 0, 'kind 0');
    if (type === undefined) continue;
    check(type.id === id && type.name === name, 'nameOf differs');
    elements += elementsOf(type);
    const mayLookUp = id % 8 === 0 && !type.name.includes('\u{fffd}');
    check(!mayLookUp || spec.idsByName(type.name).includes(id), 'idsByName differs');
  }
  check(elements * 8 <= bytes.length, 'more elements than bytes');
}

function attempt<T>(outcomes: Outcomes, run: () => T): T | undefined {
  let outcome = 'VALUE';
  try {
    return run();
  } catch (error) {
    if (!(error instanceof BtfReadError)) throw error;
    outcome = error.code;
    return undefined;
  } finally {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
}

function elementsOf(type: Type): number {
  if ('members' in type) return type.members.length;
  if ('values' in type) return type.values.length;
  if ('params' in type) return type.params.length;
  return 'vars' in type ? type.vars.length : 0;
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
