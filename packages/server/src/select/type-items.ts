import type { Spec } from '@btfd/btf';
import { compileSelection } from '../base/selection.js';
import type { Budget } from '../base/work-budget.js';
import type { SpecItem, SpecJob, Steps } from '../pool/job.js';
import { closureOf } from './closure.js';
import { findSelected } from './select-types.js';
import { typeChunks } from './type-chunks.js';

/** The cost of encoding a type, in addition to its bytes, in steps. */
const STEPS_PER_TYPE = 20;

/** typeItems returns the items of a SpecJob that encodes types. */
export function* typeItems(
  spec: Spec,
  { selection, chunkBytes }: Pick<SpecJob, 'selection' | 'chunkBytes'>,
  budget: Budget,
): Steps<SpecItem> {
  let ids: Iterable<number> = spec.typeIds();
  if (selection !== null) {
    const selected = yield* findSelected(spec, compileSelection(selection), budget);
    const sent = selection.closure ? yield* closureOf(spec, selected.ids, budget) : selected.ids;
    if (budget.spend(STEPS_PER_TYPE * sent.length, 'output')) yield null;
    yield { case: 'selection', value: { ...selected.result, typeCount: sent.length } };
    ids = sent;
  }
  for (const chunk of typeChunks(spec, ids, chunkBytes)) {
    budget.spend(chunk.length, 'output');
    yield { case: 'message', value: chunk };
  }
}
