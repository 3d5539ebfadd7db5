import { create, toBinary } from '@bufbuild/protobuf';
import { Encoding, SpecResponseSchema } from '@btfd/api';
import { selectTypes, type Spec } from '@btfd/btf';
import type { Init } from '../base/message.js';
import { cChunks } from './c-chunks.js';
import { rawChunks } from '../base/slices.js';
import { compileSelection, type Selection } from '../base/selection.js';
import { findSelected, type SelectedTypes } from '../select/select-types.js';
import { typeItems } from '../select/type-items.js';
import type { SpecItem, SpecJob, Steps } from '../pool/job.js';
import type { SpecCache } from './spec-cache.js';
import { WorkBudget } from '../base/work-budget.js';

type Part = NonNullable<Init<typeof SpecResponseSchema>['part']>;

/** specSteps returns the steps of a SpecJob. */
export function specSteps(job: SpecJob, specs: SpecCache): Steps<SpecItem> {
  const spec = specs.get(job.btf, job.base);
  switch (job.encoding) {
    case Encoding.TYPES:
      return typeItems(spec, job, new WorkBudget());
    case Encoding.C:
      return c(spec, job);
    default:
      return raw(spec, job);
  }
}

function* c(spec: Spec, { selection, chunkBytes, maxCBytes, cFormat }: SpecJob): Steps<SpecItem> {
  const budget = new WorkBudget();
  const selected = selection === null ? null : yield* select(spec, selection, budget);
  if (selected !== null) yield { case: 'selection', value: selected.result };
  const options = { ...cFormat, maxBytes: maxCBytes, ...(selected === null ? {} : { roots: selected.ids }) };
  for (const value of cChunks(spec, options, chunkBytes)) {
    budget.spend(value.length, 'output');
    yield message({ case: 'c', value });
  }
}

function* raw(spec: Spec, { selection, chunkBytes }: SpecJob): Steps<SpecItem> {
  if (selection === null) throw new TypeError('RAW without a selection needs no decoding');
  const { ids, result } = yield* select(spec, selection, new WorkBudget());
  const { bytes, ids: newIds } = selectTypes(spec, ids);
  const typeCount = newIds.reduce((count, id) => count + (id === 0 ? 0 : 1), 0);
  yield { case: 'selection', value: { ...result, typeCount, rawSize: bytes.length } };
  for (const value of rawChunks(bytes, chunkBytes)) yield message({ case: 'raw', value });
}

function select(spec: Spec, selection: Selection, budget: WorkBudget): Generator<null, SelectedTypes, void> {
  return findSelected(spec, compileSelection(selection), budget);
}

function message(part: Part): Extract<SpecItem, { case: 'message' }> {
  return { case: 'message', value: toBinary(SpecResponseSchema, create(SpecResponseSchema, { part })) };
}
