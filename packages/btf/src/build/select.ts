import type { ByteOrder } from '../header.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { importCopies } from './import-copies.js';
import { ImportSource } from './import-source.js';
import { StringPool } from './string-pool.js';
import { TypeTable } from './type-table.js';
import { type Rebuilt, writeBtf } from './write-btf.js';

/** SelectOptions are the options of {@link selectTypes}. */
export interface SelectOptions {
  /** Default: that of the spec. */
  readonly byteOrder?: ByteOrder;
  /** Whether DECL_TAGs on selected types and on their members come too. Default: true. */
  readonly declTags?: boolean;
}

/**
 * selectTypes makes a smaller BTF of some types and all that they refer to. Types of a split BTF and of its bases
 * come together in one that stands alone. Types keep their order, so that what was sorted stays sorted.
 *
 * @throws BtfFormatError `NOT_FOUND` for an id that the spec has not; `MALFORMED`, `LIMIT_EXCEEDED` for what
 * cannot be read; `UNSUPPORTED` for a type of unknown kind, of which it is not known what it refers to;
 * `INVALID_ARGUMENT` for what is no byte order.
 * @throws BtfBuildError `LIMIT_EXCEEDED`.
 */
export function selectTypes(spec: Spec, ids: Iterable<TypeId>, options: SelectOptions = {}): Rebuilt {
  const roots = [...ids];
  for (const id of roots) spec.kindOf(id);
  const pool = new StringPool();
  const table = new TypeTable();
  const source = new ImportSource(spec, pool);
  importCopies(source, table, roots, { declTags: options.declTags ?? true, rootsFirst: false });
  const bytes = writeBtf(table, pool, { byteOrder: options.byteOrder ?? spec.byteOrder, wideVlen: true });
  return { bytes, ids: source.ids };
}
