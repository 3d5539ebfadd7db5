import type { ByteOrder } from '../header.js';
import type { Spec } from '../spec.js';
import { importCopies } from './import-copies.js';
import { ImportSource } from './import-source.js';
import { StringPool } from './string-pool.js';
import { TypeTable } from './type-table.js';
import { writeBtf } from './write-btf.js';

/** Merged is a BTF of all types of several. */
export interface Merged {
  /** The BTF, which stands alone. */
  readonly bytes: Uint8Array;
  /** For each spec that was given, new ids by old ids. */
  readonly ids: readonly Int32Array[];
}

/** MergeOptions are the options of {@link merge}. */
export interface MergeOptions {
  /** Default: that of the first spec. */
  readonly byteOrder?: ByteOrder;
}

/**
 * merge puts all types of specs one after the other into one BTF, each spec's in their order; equal types stay
 * apart until `dedup`. A spec given twice comes twice. The base of split BTF comes before it, but only once for
 * several, and not again where it was given before. Other byte orders are converted.
 *
 * @throws BtfFormatError `MALFORMED`, `LIMIT_EXCEEDED`, `UNSUPPORTED` for what cannot be read; `INVALID_ARGUMENT` for what
 * is no byte order.
 * @throws BtfBuildError `LIMIT_EXCEEDED`.
 */
export function merge(specs: readonly Spec[], options: MergeOptions = {}): Merged {
  const pool = new StringPool();
  const table = new TypeTable();
  const merged = new Map<Spec, Int32Array>();
  const ids = specs.map((spec) => append(table, pool, spec, merged));
  const byteOrder = options.byteOrder ?? specs[0]?.byteOrder;
  return { bytes: writeBtf(table, pool, { byteOrder, wideVlen: true }), ids };
}

/** Appends the own types of a spec, and before them those of its base unless they are there. */
function append(table: TypeTable, pool: StringPool, spec: Spec, merged: Map<Spec, Int32Array>): Int32Array {
  const source = new ImportSource(spec, pool);
  if (spec.base !== null) source.ids.set(merged.get(spec.base) ?? append(table, pool, spec.base, merged));
  importCopies(source, table, spec.typeIds(), { declTags: false, rootsFirst: true });
  merged.set(spec, source.ids);
  return source.ids;
}
