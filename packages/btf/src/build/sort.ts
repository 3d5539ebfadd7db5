import { type ByteOrder, parseHeader } from '../header.js';
import { visitIds } from '../kind-words.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { importCopies } from './import-copies.js';
import { ImportSource } from './import-source.js';
import { StringPool } from './string-pool.js';
import { TypeTable } from './type-table.js';
import { type Rebuilt, writeBtf } from './write-btf.js';

/** SortOptions are the options of {@link sortTypes}. */
export interface SortOptions {
  /** Default: that of the spec. */
  readonly byteOrder?: ByteOrder;
  /** Whether the result has a layout section. Default: whether the spec has one. */
  readonly layout?: boolean;
}

/**
 * sortTypes sorts types by name, as those of vmlinux are since Linux 7.0: anonymous types first, then by the bytes of
 * their names. Types of the same name keep their order. The kernel and libbpf then find names by binary search. The
 * result stands alone: types of split BTF and of its bases are put together.
 *
 * Modelled on `sort_btf_by_name` of the kernel's resolve_btfids.
 *
 * @throws BtfFormatError `MALFORMED` for a name outside the string section, and for a reference to a type that does not
 * exist.
 * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if names add up to more than 8 times the string section.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the byte order is invalid.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for too many bytes.
 */
export function sortTypes(spec: Spec, options: SortOptions = {}): Rebuilt {
  const pool = new StringPool();
  const table = new TypeTable();
  const source = new ImportSource(spec, pool);
  importCopies(source, table, spec.typeIds(1), { declTags: false, rootsFirst: true });
  const sorted = sortTable(table, pool);
  const { byteOrder = spec.byteOrder, layout = parseHeader(spec.bytes).layout.length > 0 } = options;
  const bytes = writeBtf(sorted.table, pool, { byteOrder, layout, wideVlen: true });
  return { bytes, ids: source.ids.map((id) => sorted.ids[id] ?? 0) };
}

/** SortedTable is a table with its types in another order. */
export interface SortedTable {
  readonly table: TypeTable;
  /** New ids by old ids; 0 for void. */
  readonly ids: Int32Array;
}

/** sortTable sorts the types of a table by name. All ids must be defined, and all references valid. */
export function sortTable(table: TypeTable, pool: StringPool): SortedTable {
  const nameOf = (id: TypeId): number => table.words[table.offset(id)] ?? 0;
  const order = Array.from({ length: table.count }, (_, i) => i + 1);
  const places = placesOf(order.map(nameOf), pool);
  const place = (id: TypeId): number => places.get(nameOf(id)) ?? 0;
  order.sort((a, b) => place(a) - place(b) || a - b);
  const ids = new Int32Array(table.count + 1);
  for (const [i, id] of order.entries()) ids[id] = i + 1;
  const sorted = new TypeTable();
  for (const id of order) {
    const start = sorted.wordLength;
    sorted.append(table.words, table.offset(id));
    const { words } = sorted;
    visitIds(words, start, (at) => {
      words[at] = ids[words[at] ?? 0] ?? 0;
    });
  }
  return { table: sorted, ids };
}

/** The places of names in the order of their bytes. The empty name is first. */
function placesOf(names: Iterable<number>, pool: StringPool): Map<number, number> {
  const sorted = [...new Set(names)].toSorted((a, b) => compareBytes(pool.bytesOf(a), pool.bytesOf(b)));
  return new Map(sorted.map((name, place) => [name, place]));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
