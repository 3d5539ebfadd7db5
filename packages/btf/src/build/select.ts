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
  /** Whether the DECL_TAGs on selected types and on their members are selected too. Default: true. */
  readonly declTags?: boolean;
}

/**
 * selectTypes makes a smaller BTF of some types and everything that they refer to. The result stands alone: types of
 * split BTF and of its bases are put together. Types keep their order, so sorted types stay sorted.
 *
 * @throws BtfLookupError `NOT_FOUND` if the spec has no such id.
 * @throws BtfFormatError `MALFORMED` for a name outside the string section, and for a reference to a type that does not
 * exist.
 * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind, whose references are not known.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if names add up to more than 8 times the string section.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the byte order is invalid.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for too many types or bytes.
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
