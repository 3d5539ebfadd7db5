import { type ByteOrder, checkByteOrder, LONG_HEADER_LENGTH, SHORT_HEADER_LENGTH } from '../header.js';
import { kindLayout } from '../kind-sizes.js';
import { HEAD_WORDS, kindWords, wordCount } from '../kind-words.js';
import { DEFAULT_PARSE_LIMITS } from '../limits.js';
import { Kind, type TypeId } from '../types.js';
import { HOST_ORDER, RUN, swapWords, vlenOfInfo } from '../words.js';
import { BtfBuildError } from './build-error.js';
import { type BaseStrings, layoutStrings } from './string-layout.js';
import type { StringPool } from './string-pool.js';
import type { TypeTable } from './type-table.js';

const NO_LAYOUT = /* @__PURE__ */ new Uint8Array();

/** The largest vlen before Linux 7.2. */
const SHORT_VLEN = 0xffff;

/** WriteOptions are the options of {@link writeBtf}. */
export interface WriteOptions {
  readonly byteOrder?: ByteOrder | undefined;
  readonly wideVlen?: boolean | undefined;
  readonly layout?: boolean | undefined;
  readonly shareSuffixes?: boolean | undefined;
  /**
   * Write only the types from this id on, as BTF split from a base with the types before it. Default: all types of the
   * table.
   */
  readonly firstTypeId?: TypeId;
  /** The strings of that base. */
  readonly baseStrings?: BaseStrings | null;
}

/**
 * writeBtf writes the types of a table as BTF. Its header has 24 bytes, which every kernel reads, or 32 with `layout`.
 *
 * @throws BtfBuildError `INVALID_TYPE` for an id that was reserved but not defined, and for a reference to a type that
 * does not exist.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for too many bytes, and for more than 65,535 elements in a type without
 * `wideVlen`.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the byte order is invalid.
 */
export function writeBtf(table: TypeTable, pool: StringPool, options: WriteOptions): Uint8Array {
  checkByteOrder(options.byteOrder ?? HOST_ORDER);
  const { firstTypeId = table.firstTypeId } = options;
  const words = new Int32Array(checkTypes(table, options, firstTypeId));
  copyTypes(table, firstTypeId, words);
  return writeWords(words, pool, options);
}

/**
 * writeWords writes the words of types, with numbers of the pool as names, as BTF. It changes the words.
 *
 * @throws BtfBuildError `LIMIT_EXCEEDED` for too many bytes.
 */
export function writeWords(
  words: Int32Array,
  pool: StringPool,
  options: Omit<WriteOptions, 'wideVlen' | 'firstTypeId'>,
): Uint8Array {
  const byteOrder = options.byteOrder ?? HOST_ORDER;
  const strings = layoutStrings(pool, namesOf(words, pool), {
    shareSuffixes: options.shareSuffixes === true,
    base: options.baseStrings ?? null,
  });
  replaceNames(words, strings.offsets);
  if (byteOrder !== HOST_ORDER) swapWords(words);
  const layout = options.layout === true ? kindLayout() : NO_LAYOUT;
  const types = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  return joinSections(byteOrder, types, layout, strings.bytes);
}

/**
 * joinSections writes a header before the sections of types, layout and strings. The header has 24 bytes if there is no
 * layout section, otherwise 32.
 *
 * @throws BtfBuildError `LIMIT_EXCEEDED` for too many bytes.
 */
export function joinSections(
  byteOrder: ByteOrder,
  types: Uint8Array,
  layout: Uint8Array,
  strings: Uint8Array,
): Uint8Array {
  const headerLength = layout.length > 0 ? LONG_HEADER_LENGTH : SHORT_HEADER_LENGTH;
  const total = headerLength + types.length + layout.length + strings.length;
  if (total > DEFAULT_PARSE_LIMITS.bytes) {
    const message = `BTF of ${total} bytes exceeds the limit of ${DEFAULT_PARSE_LIMITS.bytes}`;
    throw new BtfBuildError('LIMIT_EXCEEDED', message);
  }
  const bytes = new Uint8Array(total);
  const header = new DataView(bytes.buffer);
  const little = byteOrder === 'little';
  header.setUint16(0, 0xeb9f, little);
  header.setUint8(2, 1);
  const stringsStart = types.length + layout.length;
  const fields = [headerLength, 0, types.length, stringsStart, strings.length];
  if (layout.length > 0) fields.push(types.length, layout.length);
  for (const [i, field] of fields.entries()) header.setUint32(4 + i * 4, field, little);
  bytes.set(types, headerLength);
  bytes.set(layout, headerLength + types.length);
  bytes.set(strings, headerLength + stringsStart);
  return bytes;
}

/**
 * checkTypes checks what {@link writeBtf} checks about types, and returns the number of their words.
 *
 * @param first the type to start from. Default: the first of the table.
 *
 * @throws BtfBuildError `INVALID_TYPE` and `LIMIT_EXCEEDED` as {@link writeBtf} does.
 */
export function checkTypes(
  table: TypeTable,
  { wideVlen = false }: Pick<WriteOptions, 'wideVlen'>,
  first: TypeId = table.firstTypeId,
): number {
  let total = 0;
  for (let id = first; id < table.endTypeId; id += RUN) total += checkSome(table, wideVlen, id);
  return total;
}

/** Checks some types. See {@link RUN}. */
function checkSome(table: TypeTable, wideVlen: boolean, first: TypeId): number {
  const { words } = table;
  const endTypeId = Math.min(first + RUN, table.endTypeId);
  let total = 0;
  // This and the next functions read all words of hundreds of thousands of types. With visitIds and visitNames they would
  // take twice the time.
  for (let id = first; id < endTypeId; id++) {
    const start = table.offset(id);
    if (start < 0) {
      throw new BtfBuildError('INVALID_TYPE', `type id ${id} was reserved but not defined`, { typeId: id });
    }
    const info = words[start + 1] ?? 0;
    const vlen = vlenOfInfo(info);
    if (vlen > SHORT_VLEN && !wideVlen) throw tooManyElements(id, vlen);
    const { thirdIsId, once, onceIds, each, eachId } = kindWords(info);
    const elements = start + HEAD_WORDS + once;
    const end = elements + each * vlen;
    if (thirdIsId) checkReference(table, words[start + 2] ?? 0, id);
    for (let at = start + HEAD_WORDS; at < start + HEAD_WORDS + onceIds; at++) {
      checkReference(table, words[at] ?? 0, id);
    }
    if (eachId >= 0) {
      for (let at = elements + eachId; at < end; at += each) checkReference(table, words[at] ?? 0, id);
    }
    total += end - start;
  }
  return total;
}

/** The numbers of all names in the order of their first use. */
function namesOf(words: Int32Array, pool: StringPool): number[] {
  const seen = new Uint8Array(pool.count);
  const names: number[] = [];
  seen[0] = 1;
  for (let at = 0; at < words.length;) at = addNames(words, at, seen, names);
  return names;
}

/** Adds the names of some types. Returns where the next type starts. See {@link RUN}. */
function addNames(words: Int32Array, first: number, seen: Uint8Array, names: number[]): number {
  const last = Math.min(words.length, first + RUN);
  let at = first;
  while (at < last) {
    const info = words[at + 1] ?? 0;
    const { once, each, eachNamed } = kindWords(info);
    addName(words[at] ?? 0, seen, names);
    at += HEAD_WORDS + once;
    const end = at + each * vlenOfInfo(info);
    if (eachNamed) for (; at < end; at += each) addName(words[at] ?? 0, seen, names);
    at = end;
  }
  return at;
}

function addName(name: number, seen: Uint8Array, names: number[]): void {
  if (seen[name] === 1) return;
  seen[name] = 1;
  names.push(name);
}

/** Replaces the number of each name by its offset. */
function replaceNames(words: Int32Array, offsets: Int32Array): void {
  for (let at = 0; at < words.length;) at = replaceSome(words, offsets, at);
}

/** Replaces the names of some types and returns where the next one starts. See {@link RUN}. */
function replaceSome(words: Int32Array, offsets: Int32Array, start: number): number {
  const last = Math.min(start + RUN, words.length);
  let at = start;
  while (at < last) {
    const info = words[at + 1] ?? 0;
    const { once, each, eachNamed } = kindWords(info);
    words[at] = offsets[words[at] ?? 0] ?? 0;
    at += HEAD_WORDS + once;
    const end = at + each * vlenOfInfo(info);
    if (eachNamed) for (; at < end; at += each) words[at] = offsets[words[at] ?? 0] ?? 0;
    at = end;
  }
  return at;
}

function tooManyElements(id: TypeId, vlen: number): BtfBuildError {
  const message = `type id ${id} has ${vlen} elements: more than ${SHORT_VLEN} need Linux 7.2 and the option wideVlen`;
  return new BtfBuildError('LIMIT_EXCEEDED', message, { typeId: id });
}

function checkReference(table: TypeTable, reference: number, id: TypeId): void {
  const target = reference >>> 0;
  if (target < table.endTypeId) return;
  const kind = Object.entries(Kind).find(([, number]) => number === table.kind(id))?.[0];
  const message = `${kind} with type id ${id} refers to type ${target}, but the largest id is ${table.endTypeId - 1}`;
  throw new BtfBuildError('INVALID_TYPE', message, { typeId: id });
}

/** Copies the types from an id on in the order of their ids. */
function copyTypes(table: TypeTable, first: TypeId, target: Int32Array): void {
  let to = 0;
  for (let id = first; id < table.endTypeId; id += RUN) to = copySome(table, id, target, to);
}

/** Copies some types to an index, and returns the index after them. See {@link RUN}. */
function copySome(table: TypeTable, first: TypeId, target: Int32Array, at: number): number {
  const { words } = table;
  const end = Math.min(first + RUN, table.endTypeId);
  let to = at;
  for (let id = first; id < end; id++) {
    const start = table.offset(id);
    const length = wordCount(words[start + 1] ?? 0);
    for (let i = 0; i < length; i++) target[to + i] = words[start + i] ?? 0;
    to += length;
  }
  return to;
}

/** Rebuilt is a BTF made of types of another one. */
export interface Rebuilt {
  readonly bytes: Uint8Array;
  /** New ids by old ids; 0 for types that were left out, and for void. */
  readonly ids: Int32Array;
}
