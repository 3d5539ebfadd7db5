import { HEAD_WORDS } from '../kind-words.js';
import { IntEncoding, Kind, type TypeId } from '../types.js';
import { kindFlagOfInfo, kindOfInfo, vlenOfInfo } from '../words.js';
import type { MarshalOptions } from './marshal-options.js';
import type { StringPool } from './string-pool.js';
import { TypeTable } from './type-table.js';

const KIND_FLAG = 1 << 31;

/**
 * downgrade replaces types that older kernels do not know, as the options say. Ids stay; placeholders come after all
 * other types.
 */
export function downgrade(table: TypeTable, pool: StringPool, options: MarshalOptions): TypeTable {
  if (options.preventNoTypeFound === true && table.count === 0) return withPlaceholder();
  const { stripFuncLinkage, replaceDeclTags, replaceTypeTags, replaceEnum64 } = options;
  if (![stripFuncLinkage, replaceDeclTags, replaceTypeTags, replaceEnum64].includes(true)) return table;
  const rewritten = new TypeTable();
  for (let id = 1; id <= table.count; id++) rewritten.reserve();
  const placeholders = new Placeholders(rewritten, pool);
  for (let id = 1; id <= table.count; id++) {
    const start = table.offset(id);
    const replaced = start < 0 ? null : replacement(table.words, start, pool, placeholders, options);
    if (replaced !== null) rewritten.define(id, replaced, 0);
    else if (start >= 0) rewritten.define(id, table.words, start);
  }
  return rewritten;
}

/** A table with one type, for BTF without types. */
function withPlaceholder(): TypeTable {
  const table = new TypeTable();
  table.append(Int32Array.of(0, Kind.INT << 24, 0, 0), 0);
  return table;
}

/** The replacement for a type; null if the type stays as it is. */
function replacement(
  words: Int32Array,
  start: number,
  pool: StringPool,
  placeholders: Placeholders,
  options: MarshalOptions,
): Int32Array | null {
  const info = words[start + 1] ?? 0;
  switch (kindOfInfo(info)) {
    case Kind.FUNC:
      if (options.stripFuncLinkage !== true) return null;
      return Int32Array.of(words[start] ?? 0, Kind.FUNC << 24, words[start + 2] ?? 0);
    case Kind.DECL_TAG:
      if (options.replaceDeclTags !== true) return null;
      return intWords(pool.internText('decl_tag_placeholder'), 1, 0);
    case Kind.TYPE_TAG:
      if (options.replaceTypeTags !== true) return null;
      return Int32Array.of(0, Kind.CONST << 24, words[start + 2] ?? 0);
    case Kind.ENUM:
      if (options.replaceEnum64 !== true || !kindFlagOfInfo(info)) return null;
      return withoutSign(words, start);
    case Kind.ENUM64:
      return options.replaceEnum64 === true ? unionOf(words, start, placeholders) : null;
    default:
      return null;
  }
}

/** Only kernels with ENUM64 (Linux 6.0) read the flag as the sign of an ENUM. */
function withoutSign(words: Int32Array, start: number): Int32Array {
  const info = words[start + 1] ?? 0;
  const copy = words.slice(start, start + HEAD_WORDS + 2 * vlenOfInfo(info));
  copy[1] = info & ~KIND_FLAG;
  return copy;
}

function unionOf(words: Int32Array, start: number, placeholders: Placeholders): Int32Array {
  const info = words[start + 1] ?? 0;
  const size = words[start + 2] ?? 0;
  const vlen = vlenOfInfo(info);
  const member = placeholders.enum64(size, kindFlagOfInfo(info));
  const union = new Int32Array(HEAD_WORDS + 3 * vlen);
  union.set([words[start] ?? 0, (Kind.UNION << 24) | vlen, size]);
  for (let at = HEAD_WORDS; at < union.length; at += 3) {
    union[at] = words[start + at] ?? 0;
    union[at + 1] = member;
  }
  return union;
}

/** The types of the members of replaced ENUM64s, one for each size and sign. */
class Placeholders {
  readonly #table: TypeTable;
  readonly #pool: StringPool;
  readonly #ids = new Map<string, TypeId>();

  constructor(table: TypeTable, pool: StringPool) {
    this.#table = table;
    this.#pool = pool;
  }

  enum64(size: number, signed: boolean): TypeId {
    const key = `${size} ${signed}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const name = this.#pool.internText('enum64_placeholder');
    const id = this.#table.append(intWords(name, size, signed ? IntEncoding.SIGNED : 0), 0);
    this.#ids.set(key, id);
    return id;
  }
}

function intWords(name: number, size: number, encoding: number): Int32Array {
  return Int32Array.of(name, Kind.INT << 24, size, (encoding << 24) | ((size * 8) & 0xff));
}
