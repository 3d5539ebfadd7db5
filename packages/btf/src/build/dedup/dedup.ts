import { HEAD_WORDS, kindWords, wordCount } from '../../kind-words.js';
import { DEFAULT_PARSE_LIMITS } from '../../limits.js';
import type { Spec } from '../../spec.js';
import type { TypeId } from '../../types.js';
import { RUN, vlenOfInfo } from '../../words.js';
import { BtfBuildError } from '../build-error.js';
import { type AllTypes, baseStrings, SpecReader } from '../spec-reader.js';
import { StringPool } from '../string-pool.js';
import { type Rebuilt, writeWords } from '../write-btf.js';
import { mapComposites, mapForwards } from './composites.js';
import { DedupState } from './dedup-state.js';
import { mapPrimitives } from './primitives.js';
import { mapReferences } from './references.js';
import { TypeGraph } from './type-graph.js';

/** One to two minutes. All modules of Linux 7.3 merged, which have many types twice, take 85 million. */
const MAX_COMPARISONS = 1 << 29;

/** DedupOptions are the options of {@link dedup}. */
export interface DedupOptions {
  /**
   * Maximum number of pairs of types to compare. It bounds the time: five to ten million take a second. A kernel or a
   * module takes fewer comparisons than it has words. Many modules merged may take 85 million since Linux 6.18, whose
   * BTF has types twice. Lower the limit for BTF that you do not trust. Default: 536,870,912.
   */
  readonly maxComparisons?: number;
}

/**
 * dedup merges equal types and equal strings. Modelled on libbpf's `btf__dedup`: it merges strings, then INTs, ENUMs,
 * FLOATs and FWDs. Then it merges structs, unions and typedefs by comparing the graphs of types that they lead to. Then
 * it replaces each FWD of which only one struct or union has the name. Finally it merges the types that refer to these.
 * It drops replaced FWDs, each `enum` without values if there is one with values, and strings that no type uses. All
 * VARs and DATASECs stay. The types that stay keep their order.
 *
 * For split BTF, only its own types change. Those that equal a type of the base are dropped. The result is split from
 * the same base. There are two differences from libbpf. libbpf compares repeated arrays within one struct by their
 * lengths only; dedup also compares the element types. libbpf gives up on equal types that lead to themselves; dedup
 * finds them equal. So some modules of Linux 6.18 become smaller than with libbpf, such as auth_rpcgss.
 *
 * @throws BtfFormatError `MALFORMED` for a name outside the string section, and for a reference to a type that does not
 * exist.
 * @throws BtfFormatError `MALFORMED` for a cycle of references without a struct, union or typedef. libbpf rejects it
 * too (`ELOOP`), though the kernel loads a function that takes a pointer to itself.
 * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if names add up to more than 8 times the string section, or if there are so
 * many similar types that comparing them exceeds `maxComparisons`.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for more than 16,777,216 types with those of the base.
 */
export function dedup(spec: Spec, options: DedupOptions = {}): Rebuilt {
  checkTypeCount(spec);
  const pool = new StringPool();
  const reader = new SpecReader(spec, pool);
  const types = reader.readAll();
  const graph = new TypeGraph(types, pool.count);
  const state = new DedupState(graph, spec.firstTypeId, options.maxComparisons ?? MAX_COMPARISONS);
  mapPrimitives(state);
  mapComposites(state);
  mapForwards(state);
  state.flatten();
  mapReferences(state);
  const ids = newIds(state);
  const bytes = writeWords(keptWords(state, types, ids), pool, {
    byteOrder: spec.byteOrder,
    baseStrings: spec.base === null ? null : baseStrings(spec.base, reader),
  });
  return { bytes, ids };
}

function checkTypeCount(spec: Spec): void {
  const { types } = DEFAULT_PARSE_LIMITS;
  if (spec.endTypeId - 1 > types) throw new BtfBuildError('LIMIT_EXCEEDED', `more than ${types} types`);
}

/** The new ids of all types. */
function newIds(state: DedupState): Int32Array {
  const { firstTypeId, endTypeId } = state;
  const ids = new Int32Array(endTypeId);
  let next = 1;
  for (let id = 1; id < endTypeId; id++) if (id < firstTypeId || state.isCanonical(id)) ids[id] = next++;
  for (let id = firstTypeId; id < endTypeId; id++) if (ids[id] === 0) ids[id] = ids[state.resolve(id)] ?? 0;
  return ids;
}

/** The words of the canonical types that may change, with new ids. They move to the start of all words. */
function keptWords(state: DedupState, types: AllTypes, ids: Int32Array): Int32Array {
  let end = 0;
  for (let id = state.firstTypeId; id < state.endTypeId; id += RUN) end = keepRun(state, types, ids, id, end);
  return types.words.subarray(0, end);
}

/** Moves some types over those that were dropped or moved. Returns where the next ones go. See {@link RUN}. */
function keepRun(
  state: DedupState,
  { words, offsets }: AllTypes,
  ids: Int32Array,
  first: TypeId,
  target: number,
): number {
  const last = Math.min(state.endTypeId, first + RUN);
  let end = target;
  for (let id = first; id < last; id++) {
    if (!state.isCanonical(id)) continue;
    const start = offsets[id] ?? 0;
    const length = wordCount(words[start + 1] ?? 0);
    for (let i = 0; i < length; i++) words[end + i] = words[start + i] ?? 0;
    replaceIds(words, end, ids);
    end += length;
  }
  return end;
}

/** As with {@link visitIds}, without a call for each id. */
function replaceIds(words: Int32Array, start: number, ids: Int32Array): void {
  const info = words[start + 1] ?? 0;
  const { thirdIsId, once, onceIds, each, eachId } = kindWords(info);
  if (thirdIsId) words[start + 2] = ids[words[start + 2] ?? 0] ?? 0;
  const first = start + HEAD_WORDS;
  for (let at = first; at < first + onceIds; at++) words[at] = ids[words[at] ?? 0] ?? 0;
  if (eachId < 0) return;
  const elements = first + once;
  const end = elements + each * vlenOfInfo(info);
  for (let at = elements + eachId; at < end; at += each) words[at] = ids[words[at] ?? 0] ?? 0;
}
