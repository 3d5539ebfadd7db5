import { visitIds } from '../../kind-words.js';
import type { Spec } from '../../spec.js';
import type { TypeId } from '../../types.js';
import { SpecReader } from '../spec-reader.js';
import type { BaseStrings } from '../string-layout.js';
import { StringPool } from '../string-pool.js';
import { TypeTable } from '../type-table.js';
import { type Rebuilt, writeBtf } from '../write-btf.js';
import { mapComposites, mapForwards } from './composites.js';
import { DedupState } from './dedup-state.js';
import { mapPrimitives } from './primitives.js';
import { mapReferences } from './references.js';

/** About a minute. The module `nfsd` on the vmlinux of Linux 7.3, which has many types twice, takes 293 million. */
const MAX_COMPARISONS = 1 << 29;

/** DedupOptions are the options of {@link dedup}. */
export interface DedupOptions {
  /**
   * Most pairs of types to compare, which bounds the time: ten to twenty million take a second. Default:
   * 536,870,912. Up to Linux 7.0, kernels and modules take fewer than they have words; since 7.1 vmlinux has types
   * twice, and modules on it may take hundreds of millions. Set less where the BTF is not trusted.
   */
  readonly maxComparisons?: number;
}

/**
 * dedup makes one of equal types and one of equal strings, with the meaning of libbpf's `btf__dedup`: strings,
 * then INTs, ENUMs, FLOATs and FWDs, then structs, unions and typedefs by comparing the graphs of types that they
 * lead to, then FWDs of which only one struct or union has the name, then all that refers to those. A FWD that
 * gets its struct or union, and an `enum` without values that gets its full one, are gone. VARs and
 * DATASECs all stay, in their order, as the others that stay do. Strings that no type uses are gone.
 *
 * Of split BTF only the own types are changed, and those that equal one of the base's are gone; the result is
 * split from the same base. Where libbpf compares repeated arrays within one struct by their lengths alone, element
 * types are compared too; and it gives up on equal types that lead to themselves, which are found equal here.
 *
 * @throws BtfFormatError `MALFORMED`, `LIMIT_EXCEEDED`, `UNSUPPORTED` for what cannot be read; `MALFORMED` for
 * references in a circle without a struct, union or typedef, which libbpf refuses too (`ELOOP`), though the kernel loads
 * a function that takes a pointer to itself; `LIMIT_EXCEEDED` for types so many and alike that
 * telling them apart exceeds `maxComparisons`.
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
    baseStrings: baseStrings(spec, reader),
  });
  return { bytes, ids };
}

/** The canonical types alone, and new ids of all. */
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

function baseStrings({ base }: Spec, reader: SpecReader): BaseStrings | null {
  if (base === null) return null;
  const end = reader.stringEnd(base);
  const offsets = new Map<number, number>();
  reader.visitNameOffsets((name, offset) => {
    if (offset < end) offsets.set(name, offset);
  });
  return { end, offsets };
}
