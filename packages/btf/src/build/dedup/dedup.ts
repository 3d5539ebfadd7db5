import { visitIds } from '../../kind-words.js';
import type { Spec } from '../../spec.js';
import type { TypeId } from '../../types.js';
import { baseStrings, SpecReader } from '../spec-reader.js';
import { StringPool } from '../string-pool.js';
import { TypeTable } from '../type-table.js';
import { type Rebuilt, writeBtf } from '../write-btf.js';
import { mapComposites, mapForwards } from './composites.js';
import { DedupState } from './dedup-state.js';
import { mapPrimitives } from './primitives.js';
import { mapReferences } from './references.js';

/** About a minute. All modules of Linux 7.3 merged, which have many types twice, take 85 million. */
const MAX_COMPARISONS = 1 << 29;

/** DedupOptions are the options of {@link dedup}. */
export interface DedupOptions {
  /**
   * Maximum number of pairs of types to compare. It bounds the time: ten million take about a second. A kernel or a
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
  const pool = new StringPool();
  const table = new TypeTable();
  const reader = new SpecReader(spec, pool);
  for (const id of spec.typeIds(1)) {
    reader.read(id);
    table.append(reader.words, 0);
  }
  const state = new DedupState(table, spec.firstTypeId, options.maxComparisons ?? MAX_COMPARISONS);
  mapPrimitives(state);
  mapComposites(state);
  mapForwards(state);
  mapReferences(state);
  const { ids, kept } = compact(state, spec.firstTypeId);
  const bytes = writeBtf(kept, pool, {
    byteOrder: spec.byteOrder,
    wideVlen: true,
    firstTypeId: spec.firstTypeId,
    baseStrings: spec.base === null ? null : baseStrings(spec.base, reader),
  });
  return { bytes, ids };
}

/** The canonical types, and the new ids of all types. */
function compact(state: DedupState, firstTypeId: TypeId): { ids: Int32Array; kept: TypeTable } {
  const { table } = state;
  const { words } = table;
  const kept = new TypeTable();
  const ids = new Int32Array(state.endTypeId);
  for (let id = 1; id < state.endTypeId; id++) {
    if (id < firstTypeId || state.isCanonical(id)) ids[id] = kept.reserve();
  }
  for (let id = firstTypeId; id < state.endTypeId; id++) {
    if (ids[id] === 0) ids[id] = ids[state.resolve(id)] ?? 0;
  }
  for (let id = 1; id < state.endTypeId; id++) {
    if (id >= firstTypeId && !state.isCanonical(id)) continue;
    const start = table.offset(id);
    if (id >= firstTypeId)
      visitIds(words, start, (at) => {
        words[at] = ids[words[at] ?? 0] ?? 0;
      });
    kept.define(ids[id] ?? 0, words, start);
  }
  return { ids, kept };
}
