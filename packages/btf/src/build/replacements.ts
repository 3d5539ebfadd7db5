import { HEAD_WORDS } from '../kind-words.js';
import { IntEncoding, Kind, type TypeId } from '../types.js';
import { kindFlagOfInfo, vlenOfInfo } from '../words.js';
import type { PlainNames } from './plain-names.js';
import type { StringPool } from './string-pool.js';
import type { TypeTable } from './type-table.js';

// Each function returns the words of a type that takes the place of another one, with the numbers of a pool as names.

const KIND_FLAG = 1 << 31;

/** The size of a FUNC_PROTO as an ENUM: any that the kernel accepts. */
const ENUM_SIZE = 4;

/** intOf returns an INT. */
export function intOf(name: number, size: number, encoding: number): Int32Array {
  return Int32Array.of(name, Kind.INT << 24, size, (encoding << 24) | ((size * 8) & 0xff));
}

/** constOf returns a CONST of a type. */
export function constOf(typeId: TypeId): Int32Array {
  return Int32Array.of(0, Kind.CONST << 24, typeId);
}

/** emptyStructOf returns a STRUCT without members. */
export function emptyStructOf(name: number, size: number): Int32Array {
  return Int32Array.of(name, Kind.STRUCT << 24, size);
}

/** unsignedEnumOf returns an ENUM without its sign, which only kernels with ENUM64 read. */
export function unsignedEnumOf(words: Int32Array, start: number): Int32Array {
  const info = words[start + 1] ?? 0;
  const copy = words.slice(start, start + HEAD_WORDS + 2 * vlenOfInfo(info));
  copy[1] = info & ~KIND_FLAG;
  return copy;
}

/** enumOfPrototype returns an ENUM with a value for each parameter of a FUNC_PROTO. */
export function enumOfPrototype(words: Int32Array, start: number, pool: StringPool): Int32Array {
  const vlen = vlenOfInfo(words[start + 1] ?? 0);
  const result = new Int32Array(HEAD_WORDS + 2 * vlen);
  result.set([0, (Kind.ENUM << 24) | vlen, ENUM_SIZE]);
  for (let i = 0; i < vlen; i++) {
    const name = words[start + HEAD_WORDS + 2 * i] ?? 0;
    // A value must have a name.
    result[HEAD_WORDS + 2 * i] = name === 0 ? pool.internText(`arg${i}`) : name;
    result[HEAD_WORDS + 2 * i + 1] = i;
  }
  return result;
}

/** structOfSection returns a STRUCT with a member for each variable of a DATASEC. */
export function structOfSection(table: TypeTable, start: number, names: PlainNames): Int32Array {
  const { words } = table;
  const vlen = vlenOfInfo(words[start + 1] ?? 0);
  const result = new Int32Array(HEAD_WORDS + 3 * vlen);
  result.set([names.identifier(words[start] ?? 0), (Kind.STRUCT << 24) | vlen, words[start + 2] ?? 0]);
  for (let at = HEAD_WORDS; at < result.length; at += 3) {
    const variable = words[start + at] ?? 0;
    const name = words[table.offset(variable)] ?? 0;
    const byte = words[start + at + 1] ?? 0;
    result.set([names.identifier(name), variable, byte << 3], at);
  }
  return result;
}

/** Enum64Unions makes UNIONs of ENUM64s. */
export class Enum64Unions {
  readonly #table: TypeTable;
  readonly #pool: StringPool;
  /** The types of members, one for each size and sign. */
  readonly #placeholders = new Map<string, TypeId>();

  /** Placeholders are appended to the table. */
  constructor(table: TypeTable, pool: StringPool) {
    this.#table = table;
    this.#pool = pool;
  }

  /** unionOf returns a UNION with a member for each value of an ENUM64. */
  unionOf(words: Int32Array, start: number): Int32Array {
    const info = words[start + 1] ?? 0;
    const size = words[start + 2] ?? 0;
    const vlen = vlenOfInfo(info);
    const member = this.placeholderOf(words, start);
    const union = new Int32Array(HEAD_WORDS + 3 * vlen);
    union.set([words[start] ?? 0, (Kind.UNION << 24) | vlen, size]);
    for (let at = HEAD_WORDS; at < union.length; at += 3) {
      union[at] = words[start + at] ?? 0;
      union[at + 1] = member;
    }
    return union;
  }

  /** placeholderOf returns the id of an INT of the size and sign of an ENUM64. */
  placeholderOf(words: Int32Array, start: number): TypeId {
    const size = words[start + 2] ?? 0;
    const signed = kindFlagOfInfo(words[start + 1] ?? 0);
    const key = `${size} ${signed}`;
    const known = this.#placeholders.get(key);
    if (known !== undefined) return known;
    const name = this.#pool.internText('enum64_placeholder');
    const id = this.#table.append(intOf(name, size, signed ? IntEncoding.SIGNED : 0), 0);
    this.#placeholders.set(key, id);
    return id;
  }
}
