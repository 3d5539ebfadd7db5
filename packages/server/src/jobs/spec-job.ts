import { create, toBinary } from '@bufbuild/protobuf';
import { Encoding, SpecResponseSchema } from '@btfd/api';
import { selectTypes, type Spec } from '@btfd/btf';
import type { Init } from '../base/message.js';
import { cChunks } from './select/c-chunks.js';
import { closureOf } from './select/closure.js';
import { rawChunks } from '../base/slices.js';
import { compileSelection, type Selection } from '../base/selection.js';
import { findSelected, type SelectedTypes } from './select/select-types.js';
import { typeChunks } from './select/type-chunks.js';
import type { SpecItem, SpecJob, Steps } from '../pool/job.js';
import type { SpecCache } from './spec-cache.js';
import { WorkBudget } from './work-budget.js';

type Part = NonNullable<Init<typeof SpecResponseSchema>['part']>;

/** specSteps returns the steps of a SpecJob. */
export function specSteps(job: SpecJob, specs: SpecCache): Steps<SpecItem> {
  const spec = specs.get(job.btf, job.base);
  switch (job.encoding) {
    case Encoding.TYPES:
      return types(spec, job);
    case Encoding.C:
      return c(spec, job);
    default:
      return raw(spec, job);
  }
}

function* types(spec: Spec, { selection, chunkBytes }: SpecJob): Steps<SpecItem> {
  const budget = new WorkBudget();
  let ids: Iterable<number> = spec.typeIds();
  if (selection !== null) {
    const selected = yield* select(spec, selection, budget);
    const sent = selection.closure ? yield* closureOf(spec, selected.ids, budget) : selected.ids;
    yield { case: 'selection', value: { ...selected.result, typeCount: sent.length } };
    ids = sent;
  }
  for (const chunk of typeChunks(spec, ids, chunkBytes)) {
    budget.spend(chunk.length, 'output');
    yield { case: 'message', value: chunk };
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
