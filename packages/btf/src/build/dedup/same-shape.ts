import { Kind } from '../../kind.js';
import type { TypeId } from '../../types.js';
import { HASH_SEED, mixHash } from '../hash.js';
import { visitIds, wordCount } from '../kind-words.js';
import type { DedupState } from './dedup-state.js';

/** sameShape tells whether two types are of one kind and equal in all but the ids that they refer to. */
export function sameShape(state: DedupState, first: TypeId, second: TypeId): boolean {
  if (state.info(first) !== state.info(second)) return false;
  const { words } = state.table;
  const start = state.table.offset(first);
  const difference = state.table.offset(second) - start;
  const end = first === 0 ? start : start + wordCount(state.info(first));
  let same = true;
  let from = start;
  const compareUntil = (to: number): void => {
    for (let at = from; at < to && same; at++) same = words[at] === words[at + difference];
    from = to + 1;
  };
  if (first !== 0) visitIds(words, start, compareUntil);
  compareUntil(end);
  return same;
}

/** shapeHash is equal for types of {@link sameShape}. */
export function shapeHash(state: DedupState, id: TypeId): number {
  const { words } = state.table;
  const start = state.table.offset(id);
  const end = start + wordCount(state.info(id));
  let hash = HASH_SEED;
  let from = start;
  const mixUntil = (to: number): void => {
    for (let at = from; at < to; at++) hash = mixHash(hash, words[at] ?? 0);
    from = to + 1;
  };
  visitIds(words, start, mixUntil);
  mixUntil(end);
  return hash;
}

/** isDeclarationOf tells whether one type is a FWD of the other one's name and kind. */
export function isDeclarationOf(state: DedupState, forward: TypeId, type: TypeId): boolean {
  return (
    state.kind(forward) === Kind.FWD &&
    state.word(forward, 0) === state.word(type, 0) &&
    state.forwardKind(forward) === state.kind(type)
  );
}

/** compatibleEnums tells whether two types are of one kind of enum and name, and one has no values. */
export function compatibleEnums(state: DedupState, first: TypeId, second: TypeId): boolean {
  const kind = state.kind(first);
  return (
    (kind === Kind.ENUM || kind === Kind.ENUM64) &&
    kind === state.kind(second) &&
    state.word(first, 0) === state.word(second, 0) &&
    (state.vlen(first) === 0 || state.vlen(second) === 0)
  );
}
