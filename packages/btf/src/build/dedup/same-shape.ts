import { HEAD_WORDS, kindWords, wordCount } from '../../kind-words.js';
import { Kind, type TypeId } from '../../types.js';
import { HASH_SEED, mixHash } from '../../words.js';
import type { DedupState } from './dedup-state.js';

/** sameShape reports whether two types have the same kind and are equal except for the ids that they refer to. */
export function sameShape(state: DedupState, first: TypeId, second: TypeId): boolean {
  const info = state.info(first);
  if (info !== state.info(second)) return false;
  if (first === 0) return true;
  const { words } = state.table;
  const { thirdIsId, once, onceIds, each, eachId } = kindWords(info);
  const start = state.table.offset(first);
  const difference = state.table.offset(second) - start;
  if (words[start] !== words[start + difference]) return false;
  if (!thirdIsId && words[start + 2] !== words[start + 2 + difference]) return false;
  let at = start + HEAD_WORDS + onceIds;
  const elements = start + HEAD_WORDS + once;
  for (; at < elements; at++) if (words[at] !== words[at + difference]) return false;
  const end = start + wordCount(info);
  for (let id = at + eachId; at < end; at++) {
    if (at === id) id += each;
    else if (words[at] !== words[at + difference]) return false;
  }
  return true;
}

/** shapeHash returns a hash that is equal for types of {@link sameShape}. */
export function shapeHash(state: DedupState, id: TypeId): number {
  const info = state.info(id);
  const { words } = state.table;
  const { thirdIsId, once, onceIds, each, eachId } = kindWords(info);
  const start = state.table.offset(id);
  let hash = mixHash(mixHash(HASH_SEED, words[start] ?? 0), info);
  if (!thirdIsId) hash = mixHash(hash, words[start + 2] ?? 0);
  let at = start + HEAD_WORDS + onceIds;
  const elements = start + HEAD_WORDS + once;
  for (; at < elements; at++) hash = mixHash(hash, words[at] ?? 0);
  const end = start + wordCount(info);
  for (let next = at + eachId; at < end; at++) {
    if (at === next) next += each;
    else hash = mixHash(hash, words[at] ?? 0);
  }
  return hash;
}

/** isDeclarationOf reports whether one type is a FWD of the kind and name of the other. */
export function isDeclarationOf(state: DedupState, forward: TypeId, type: TypeId): boolean {
  return (
    state.kind(forward) === Kind.FWD &&
    state.word(forward, 0) === state.word(type, 0) &&
    state.forwardKind(forward) === state.kind(type)
  );
}

/** compatibleEnums reports whether two types have the same kind of enum and name, and one has no values. */
export function compatibleEnums(state: DedupState, first: TypeId, second: TypeId): boolean {
  const kind = state.kind(first);
  return (
    (kind === Kind.ENUM || kind === Kind.ENUM64) &&
    kind === state.kind(second) &&
    state.word(first, 0) === state.word(second, 0) &&
    (state.vlen(first) === 0 || state.vlen(second) === 0)
  );
}
