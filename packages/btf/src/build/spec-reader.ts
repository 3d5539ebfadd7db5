import { BtfFormatError } from '../format-error.js';
import { parseHeader } from '../header.js';
import { HEAD_WORDS, isKnownKind, kindWords, visitIds, visitNames, wordCount } from '../kind-words.js';
import { type Spec, typesOf } from '../spec.js';
import type { TypeId } from '../types.js';
import { hostWords, kindOfInfo, vlenOfInfo, withRoom } from '../words.js';
import type { BaseStrings } from './string-layout.js';
import type { StringPool } from './string-pool.js';

/**
 * The names that are read may add up to this many times the string section. Types may have each suffix of one long
 * string as their name, and copying them all would take the square of its length.
 */
const NAMES_PER_SECTION = 8;
const FREE_NAME_BYTES = 64 * 1024;

/**
 * SpecReader reads types of a spec and its bases as words in the machine's byte order, with numbers of a pool in place
 * of names.
 */
export class SpecReader {
  /** The words of the type that was read last. `read` may replace the array. */
  words: Int32Array = new Int32Array(256);
  readonly #levels: readonly Level[];
  /** The first id that is too large. */
  readonly #end: TypeId;

  constructor(spec: Spec, pool: StringPool) {
    const levels: Level[] = [];
    for (let own: Spec | null = spec; own !== null; own = own.base) levels.unshift(new Level(own));
    for (const level of levels) level.names = new Names(level, pool, levels);
    this.#levels = levels;
    this.#end = spec.endTypeId;
  }

  /** kind returns the kind of a type. */
  kind(id: TypeId): number {
    const level = this.#level(id);
    return kindOfInfo(level.words[level.offset(id) + 1] ?? 0);
  }

  /**
   * visitReferences calls `visit` with each id that a type refers to, with repetitions and void.
   *
   * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind.
   * @throws BtfFormatError `MALFORMED` for a reference to a type that does not exist.
   */
  visitReferences(id: TypeId, visit: (id: TypeId) => void): void {
    const level = this.#level(id);
    const { words } = level;
    checkKind(words, level.offset(id), id);
    visitIds(words, level.offset(id), (at) => visit(this.#checked(words[at] ?? 0, id)));
  }

  /**
   * read copies a type to the start of {@link words}. Ids in it are those of the spec.
   *
   * @returns the number of words.
   * @throws BtfFormatError `MALFORMED` for a name outside the string section, and for a reference to a type that does
   * not exist.
   * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the names that were read add up to more than 8 times the string section.
   */
  read(id: TypeId): number {
    const level = this.#level(id);
    const start = level.offset(id);
    checkKind(level.words, start, id);
    const length = wordCount(level.words[start + 1] ?? 0);
    const words = withRoom(this.words, length);
    for (let i = 0; i < length; i++) words[i] = level.words[start + i] ?? 0;
    visitIds(words, 0, (at) => this.#checked(words[at] ?? 0, id));
    visitNames(words, 0, (at) => {
      words[at] = level.names?.number((words[at] ?? 0) >>> 0, id) ?? 0;
    });
    this.words = words;
    return length;
  }

  /**
   * readAll reads all types, those of bases first. It takes a fraction of the time of {@link read} for each.
   *
   * @throws BtfFormatError as {@link read} does.
   */
  readAll(): AllTypes {
    const offsets = new Int32Array(this.#end);
    const words = new Int32Array(this.#levels.reduce((sum, level) => sum + level.words.length, 0));
    let from = 0;
    for (const level of this.#levels) {
      words.set(level.words, from);
      const names = new NameNumbers(level);
      for (let id = level.spec.firstTypeId; id < level.spec.endTypeId; id++) {
        const start = from + level.offset(id);
        offsets[id] = start;
        checkKind(words, start, id);
        this.#checkIds(words, start, id);
        names.replace(words, start, id);
      }
      from += level.words.length;
    }
    return { words, offsets };
  }

  /** visitNameOffsets calls `visit` with each name that was read and an offset of it. */
  visitNameOffsets(visit: (name: number, offset: number) => void): void {
    for (const level of this.#levels) level.names?.visit(visit);
  }

  /** stringEnd returns the end of the strings of a spec in the chain. */
  stringEnd(spec: Spec): number {
    const level = this.#levels.find((other) => other.spec === spec);
    return level === undefined ? 0 : level.stringStart + level.strings.length;
  }

  /** As {@link visitIds} with `#checked`, without a call for each id. */
  #checkIds(words: Int32Array, start: number, id: TypeId): void {
    const info = words[start + 1] ?? 0;
    const { thirdIsId, once, onceIds, each, eachId } = kindWords(info);
    if (thirdIsId) this.#checked(words[start + 2] ?? 0, id);
    const first = start + HEAD_WORDS;
    for (let at = first; at < first + onceIds; at++) this.#checked(words[at] ?? 0, id);
    if (eachId < 0) return;
    const elements = first + once;
    const end = elements + each * vlenOfInfo(info);
    for (let at = elements + eachId; at < end; at += each) this.#checked(words[at] ?? 0, id);
  }

  #checked(reference: number, id: TypeId): TypeId {
    const target = reference >>> 0;
    if (target < this.#end) return target;
    throw new BtfFormatError('MALFORMED', `reference to type ${target}: the largest id is ${this.#end - 1}`, {
      typeId: id,
    });
  }

  #level(id: TypeId): Level {
    for (let i = this.#levels.length - 1; i >= 0; i--) {
      const level = this.#levels[i];
      if (level !== undefined && id >= level.spec.firstTypeId && id < level.spec.endTypeId) return level;
    }
    throw new BtfFormatError('NOT_FOUND', `no type with id ${id}`);
  }
}

/** AllTypes are the types of a spec and its bases, with numbers of a pool in place of names. */
export interface AllTypes {
  readonly words: Int32Array;
  /** Where each type starts in {@link words}, by id. */
  readonly offsets: Int32Array;
}

/** One spec in the chain of bases. */
class Level {
  readonly spec: Spec;
  readonly words: Int32Array;
  readonly strings: Uint8Array;
  /** The offset of the first own string. */
  readonly stringStart: number;
  names: Names | null = null;
  readonly #offsets: Uint32Array;

  constructor(spec: Spec) {
    const { source, offsets } = typesOf(spec);
    const { strings } = parseHeader(spec.bytes);
    this.spec = spec;
    this.words = hostWords(source.bytes, spec.byteOrder);
    this.strings = spec.bytes.subarray(strings.offset, strings.offset + strings.length);
    this.stringStart = source.strings.end - strings.length;
    this.#offsets = offsets;
  }

  offset(id: TypeId): number {
    return (this.#offsets[id - this.spec.firstTypeId] ?? 0) >>> 2;
  }
}

/** The names of types of one level, by offset. */
class Names {
  readonly #level: Level;
  readonly #levels: readonly Level[];
  readonly #pool: StringPool;
  /** The numbers of names that were looked up one by one, by offset. */
  readonly #numbers = new Map<number, number>();
  /** All names in the order in which they were added: offset, number. */
  #added: Int32Array = new Int32Array(64);
  #length = 0;
  #left: number;

  constructor(level: Level, pool: StringPool, levels: readonly Level[]) {
    this.#level = level;
    this.#levels = levels;
    this.#pool = pool;
    this.#left = FREE_NAME_BYTES + NAMES_PER_SECTION * (level.stringStart + level.strings.length);
  }

  number(offset: number, id: TypeId): number {
    if (offset === 0) return 0;
    const known = this.#numbers.get(offset);
    if (known !== undefined) return known;
    const number = this.add(offset, id);
    this.#numbers.set(offset, number);
    return number;
  }

  /** add returns the number of the name at an offset that was not looked up yet. */
  add(offset: number, id: TypeId): number {
    const { strings, stringStart } = this.#owner(offset, id);
    const from = offset - stringStart;
    let to = from;
    while (to < strings.length && strings[to] !== 0) to++;
    this.#left -= to - from + 1;
    if (this.#left < 0) {
      const message = `names add up to more than ${NAMES_PER_SECTION} times the string section`;
      throw new BtfFormatError('LIMIT_EXCEEDED', message, { typeId: id });
    }
    const number = this.#pool.intern(strings, from, to);
    this.#added = withRoom(this.#added, this.#length + 2);
    this.#added[this.#length++] = offset;
    this.#added[this.#length++] = number;
    return number;
  }

  visit(visit: (name: number, offset: number) => void): void {
    for (let at = 0; at < this.#length; at += 2)
      visit(this.#added[at + 1] ?? 0, (this.#added[at] ?? 0) >>> 0);
  }

  /** The level, this one or a base, whose strings contain an offset. */
  #owner(offset: number, id: TypeId): Level {
    const end = this.#level.stringStart + this.#level.strings.length;
    if (offset >= end) {
      const message = `string offset ${offset} is after the end of the string section at ${end}`;
      throw new BtfFormatError('MALFORMED', message, { typeId: id });
    }
    if (offset >= this.#level.stringStart) return this.#level;
    return this.#levels.findLast(({ stringStart }) => stringStart <= offset) ?? this.#level;
  }
}

/** Larger string sections have no table of numbers, which takes 4 times as much: 64 MiB. */
const MAX_TABLE = 16 * 1024 * 1024;

/** NameNumbers replaces the names of types of one level. It looks each offset up once, and then has it in a table. */
class NameNumbers {
  readonly #names: Names | null;
  /** For each offset the number of its name + 1; 0 if it was not looked up yet. */
  readonly #table: Int32Array;

  constructor(level: Level) {
    const end = level.stringStart + level.strings.length;
    this.#names = level.names;
    this.#table = new Int32Array(end <= MAX_TABLE ? end : 1);
    // The empty name.
    this.#table[0] = 1;
  }

  /** replace replaces names as {@link visitNames} visits them, without a call for each. */
  replace(words: Int32Array, start: number, id: TypeId): void {
    const table = this.#table;
    const info = words[start + 1] ?? 0;
    const { once, each, eachNamed } = kindWords(info);
    words[start] = (table[words[start] ?? 0] || this.#lookUp(words[start] ?? 0, id)) - 1;
    if (!eachNamed) return;
    const elements = start + HEAD_WORDS + once;
    const end = elements + each * vlenOfInfo(info);
    for (let at = elements; at < end; at += each) {
      words[at] = (table[words[at] ?? 0] || this.#lookUp(words[at] ?? 0, id)) - 1;
    }
  }

  #lookUp(name: number, id: TypeId): number {
    const offset = name >>> 0;
    if (offset >= this.#table.length) return (this.#names?.number(offset, id) ?? 0) + 1;
    const entry = (this.#names?.add(offset, id) ?? 0) + 1;
    this.#table[offset] = entry;
    return entry;
  }
}

/** baseStrings returns the strings of a base that a reader read, to which BTF that is split from it can refer. */
export function baseStrings(base: Spec, reader: SpecReader): BaseStrings {
  const end = reader.stringEnd(base);
  const offsets = new Map<number, number>();
  reader.visitNameOffsets((name, offset) => {
    if (offset < end) offsets.set(name, offset);
  });
  return { end, offsets };
}

function checkKind(words: Int32Array, start: number, id: TypeId): void {
  const kind = kindOfInfo(words[start + 1] ?? 0);
  if (isKnownKind(kind)) return;
  throw new BtfFormatError(
    'UNSUPPORTED',
    `type of unknown kind ${kind}: its names and references are not known`,
    {
      typeId: id,
    },
  );
}
