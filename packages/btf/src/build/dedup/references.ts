import { BtfFormatError } from '../../format-error.js';
import { kindTest, visitIds } from '../../kind-words.js';
import type { TypeId } from '../../types.js';
import { WordIndex } from '../word-index.js';
import type { DedupState } from './dedup-state.js';

const UNDER_WAY = 1;

/**
 * mapReferences maps types that refer to others, such as PTR and FUNC, to the first equal type. Types that can form
 * cycles are already mapped, so each chain of references ends. On the way back, each id is replaced by the id that it is
 * mapped to, and then equal types have equal words. All VARs and DATASECs stay.
 *
 * @throws BtfFormatError `MALFORMED` for a cycle of references without a struct, union or typedef in it.
 */
export function mapReferences(state: DedupState): void {
  const index = new WordIndex(state.table);
  const underWay = new Uint8Array(state.endTypeId);
  for (let id = 1; id < state.firstTypeId; id++) {
    if (isReference(state.kind(id)) && equalTo(state, index, id) === 0) index.add(id);
  }
  for (let root = state.firstTypeId; root < state.endTypeId; root++) {
    if (state.isMapped(root)) continue;
    const stack: TypeId[] = [root];
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      if (underWay[id] === UNDER_WAY) {
        stack.pop();
        if (!state.isMapped(id)) mapOne(state, index, id);
        continue;
      }
      underWay[id] = UNDER_WAY;
      if (!isReference(state.kind(id))) {
        state.map(id, id);
        continue;
      }
      pushUnmapped(state, id, underWay, stack);
    }
  }
}

/** Whether types of a kind can only be compared after the types that they refer to are mapped. */
const isReference = kindTest(({ dedup }) => dedup === 'REFERENCES');

function pushUnmapped(state: DedupState, id: TypeId, underWay: Uint8Array, stack: TypeId[]): void {
  const { words } = state.table;
  visitIds(words, state.table.offset(id), (at) => {
    const target = words[at] ?? 0;
    if (state.isMapped(target)) return;
    if (underWay[target] === UNDER_WAY) {
      throw new BtfFormatError(
        'MALFORMED',
        'type refers to itself without a struct, union or typedef in between',
        {
          typeId: target,
        },
      );
    }
    stack.push(target);
  });
}

function mapOne(state: DedupState, index: WordIndex, id: TypeId): void {
  const { words } = state.table;
  visitIds(words, state.table.offset(id), (at) => {
    words[at] = state.resolve(words[at] ?? 0);
  });
  const equal = equalTo(state, index, id);
  state.map(id, equal === 0 ? id : equal);
  if (equal === 0) index.add(id);
}

function equalTo(state: DedupState, index: WordIndex, id: TypeId): TypeId {
  return index.find(state.table.words, state.table.offset(id));
}
