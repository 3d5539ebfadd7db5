import type { ByteOrder } from '../header.js';
import type { Spec } from '../spec.js';
import { importCopies } from './import-copies.js';
import { ImportSource } from './import-source.js';
import { baseStrings } from './spec-reader.js';
import { StringPool } from './string-pool.js';
import { TypeTable } from './type-table.js';
import { writeBtf } from './write-btf.js';

/** Merged is a BTF with all types of several specs. */
export interface Merged {
  /** The BTF, which stands alone unless it has a base. */
  readonly bytes: Uint8Array;
  /** New ids by old ids, for each of the specs. */
  readonly ids: readonly Int32Array[];
}

/** MergeOptions are the options of {@link merge}. */
export interface MergeOptions {
  /** Default: that of the base, or without one, of the first spec. With another one, the base must be converted too. */
  readonly byteOrder?: ByteOrder;
  /**
   * The base of the result. Its types keep their ids and are not appended, and the result is split from it. Default: none.
   */
  readonly base?: Spec;
}

/**
 * merge returns a BTF with all types of several specs, in the order of the specs. Equal types stay separate
 * until `dedup`. A spec that is given twice is appended twice. The base of split BTF is appended before it, but
 * only once for several specs, and not again if it was given before. Other byte orders are converted.
 *
 * Modules of one kernel are merged with `merge(modules, { base: vmlinux })`, as bpftool 7.8 merges several files.
 *
 * @throws BtfFormatError `MALFORMED` for a name outside the string section, and for a reference to a type that does not
 * exist.
 * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if names add up to more than 8 times the string section.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the byte order is invalid.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for too many types or bytes.
 */
export function merge(specs: readonly Spec[], options: MergeOptions = {}): Merged {
  const pool = new StringPool();
  const table = new TypeTable();
  const merged = new Map<Spec, Int32Array>();
  const { base } = options;
  const split =
    base === undefined
      ? {}
      : {
          firstTypeId: base.endTypeId,
          baseStrings: baseStrings(base, append(table, pool, base, merged).reader),
        };
  const ids = specs.map((spec) => append(table, pool, spec, merged).ids);
  const byteOrder = options.byteOrder ?? (base ?? specs[0])?.byteOrder;
  return { bytes: writeBtf(table, pool, { byteOrder, wideVlen: true, ...split }), ids };
}

/** Appends a spec's own types, after those of its base unless they are already there. */
function append(table: TypeTable, pool: StringPool, spec: Spec, merged: Map<Spec, Int32Array>): ImportSource {
  const source = new ImportSource(spec, pool);
  if (spec.base !== null) source.ids.set(merged.get(spec.base) ?? append(table, pool, spec.base, merged).ids);
  importCopies(source, table, spec.typeIds(), { declTags: false, rootsFirst: true });
  merged.set(spec, source.ids);
  return source;
}
