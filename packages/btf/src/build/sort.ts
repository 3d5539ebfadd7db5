import { visitIds } from '../kind-words.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { permuteTypes } from './permute.js';
import { SpecReader } from './spec-reader.js';
import { StringPool } from './string-pool.js';
import { TypeTable } from './type-table.js';
import type { Rebuilt } from './write-btf.js';

/**
 * sortTypes sorts types by name, as those of vmlinux are since Linux 7.0: anonymous types first, then by the bytes of
 * their names. Types of the same name keep their order. The kernel and libbpf then find names by binary search. For split
 * BTF, only its own types move: the result continues the same base.
 *
 * Modelled on `sort_btf_by_name` of the kernel's resolve_btfids, which the build of Linux 7.0 runs on vmlinux and on
 * modules. The strings stay as they are.
 *
 * @throws BtfFormatError `MALFORMED` for a name outside the string section, and for a reference to a type that does not
 * exist.
 * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if names add up to more than 8 times the string section.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for more than 256 MiB, which `Spec.parse` reads with other limits.
 */
export function sortTypes(spec: Spec): Rebuilt {
  const pool = new StringPool();
  const reader = new SpecReader(spec, pool);
  const names = new Int32Array(spec.typeCount);
  for (const id of spec.typeIds()) {
    reader.read(id);
    names[id - spec.firstTypeId] = reader.words[0] ?? 0;
  }
  return permuteTypes(spec, sortedIds(names, spec.firstTypeId, pool));
}

/** sortedIds returns ids in the order of their names, given the names from the first id on. */
function sortedIds(names: Int32Array, firstTypeId: TypeId, pool: StringPool): TypeId[] {
  const places = placesOf(names, pool);
  const place = (id: TypeId): number => places.get(names[id - firstTypeId] ?? 0) ?? 0;
  return Array.from(names, (_, i) => firstTypeId + i).toSorted((a, b) => place(a) - place(b) || a - b);
}

/** SortedTable is a table with its types in another order. */
export interface SortedTable {
  readonly table: TypeTable;
  /** New ids by old ids; 0 for void. */
  readonly ids: Int32Array;
}

/** sortTable sorts the types of a table by name. All ids must be defined, and all references valid. */
export function sortTable(table: TypeTable, pool: StringPool): SortedTable {
  const { firstTypeId } = table;
  const names = new Int32Array(table.count).map((_, i) => table.words[table.offset(firstTypeId + i)] ?? 0);
  const order = sortedIds(names, firstTypeId, pool);
  const ids = new Int32Array(table.endTypeId);
  for (let id = 0; id < firstTypeId; id++) ids[id] = id;
  for (const [i, id] of order.entries()) ids[id] = firstTypeId + i;
  const sorted = new TypeTable(firstTypeId);
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
