import { BtfFormatError } from '../format-error.js';
import { noTypeWithId } from '../lookup-error.js';
import { parseHeader } from '../header.js';
import { HEAD_WORDS, isKnownKind, kindWords, visitIds } from '../kind-words.js';
import { type Spec, typesOf } from '../spec.js';
import type { TypeId } from '../types.js';
import { hostWords, kindOfInfo, RUN, vlenOfInfo, withRoom } from '../words.js';
import { OffsetNumbers } from './offset-numbers.js';
import type { BaseStrings } from './string-layout.js';
import type { StringPool } from './string-pool.js';

/**
 * The names that are read may add up to this many times the string section. Types may have each suffix of one long
 * string as their name, and copying them all would take the square of its length.
 */
const NAMES_PER_SECTION = 8;
/** The bytes of strings for each type up to which {@link Names} uses a table of offsets. A kernel has 17. */
const MAX_STRING_BYTES = 32;
const FREE_NAME_BYTES = 64 * 1024;

/**
 * SpecReader reads types of a spec and its bases as words in the machine's byte order, with numbers of a pool in place
 * of names.
 */
export class SpecReader {
  /** The words of the type that was read last. `read` may replace the array. */
  words: Int32Array = new Int32Array(256);
  /** The indices of the type ids in {@link words}, in order. */
  idPlaces: Int32Array = new Int32Array(256);
  /** The number of {@link idPlaces}. */
  idCount = 0;
  /** The bases first. */
  readonly #levels: readonly Level[];
  readonly #endTypeId: TypeId;

  constructor(spec: Spec, pool: StringPool) {
    const specs: Spec[] = [];
    for (let own: Spec | null = spec; own !== null; own = own.base) specs.unshift(own);
    const levels: Level[] = [];
    for (const own of specs) levels.push(new Level(own, pool, levels.at(-1) ?? null));
    this.#levels = levels;
    this.#endTypeId = spec.endTypeId;
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
    const { words: source, names } = level;
    const start = level.offset(id);
    checkKind(source, start, id);
    const info = source[start + 1] ?? 0;
    const { thirdIsId, once, onceIds, each, eachNamed, eachId } = kindWords(info);
    const elements = HEAD_WORDS + once;
    const length = elements + each * vlenOfInfo(info);
    const words = withRoom(this.words, length);
    const places = withRoom(this.idPlaces, length);
    this.words = words;
    this.idPlaces = places;
    for (let i = 0; i < length; i++) words[i] = source[start + i] ?? 0;
    // These loops take most of the time of building. Calls of closures by visitIds and visitNames would double it.
    let count = 0;
    if (thirdIsId) places[count++] = 2;
    for (let at = HEAD_WORDS; at < HEAD_WORDS + onceIds; at++) places[count++] = at;
    if (eachId >= 0) for (let at = elements + eachId; at < length; at += each) places[count++] = at;
    for (let i = 0; i < count; i++) this.#checked(words[places[i] ?? 0] ?? 0, id);
    this.idCount = count;
    words[0] = names.number((words[0] ?? 0) >>> 0, id);
    if (eachNamed) {
      for (let at = elements; at < length; at += each) words[at] = names.number((words[at] ?? 0) >>> 0, id);
    }
    return length;
  }

  /**
   * readAll reads all types, those of bases first. It takes a fraction of the time of {@link read} for each.
   *
   * @throws BtfReadError as {@link read} does.
   */
  readAll(): AllTypes {
    const offsets = new Int32Array(this.#endTypeId);
    const words = new Int32Array(this.#levels.reduce((sum, level) => sum + level.words.length, 0));
    let from = 0;
    for (const level of this.#levels) {
      words.set(level.words, from);
      level.names.expectAll();
      for (let index = 0; index < level.starts.length; index += RUN) {
        this.#replaceRun(level, { words, offsets }, from, index);
      }
      from += level.words.length;
    }
    return { words, offsets };
  }

  /**
   * Sets the offsets of some of a level's types and replaces their names. It is one loop over many words, without calls for
   * most of them. See {@link RUN}.
   */
  #replaceRun(
    { spec, names, starts }: Level,
    { words, offsets }: AllTypes,
    from: number,
    first: number,
  ): void {
    const { table } = names;
    const numberOf = (offset: number, id: TypeId): number => {
      const known = table === null ? 0 : (table[offset] ?? 0);
      return known > 0 ? known - 1 : names.number(offset, id);
    };
    const end = Math.min(starts.length, first + RUN);
    for (let index = first; index < end; index++) {
      const id = spec.firstTypeId + index;
      const start = from + ((starts[index] ?? 0) >>> 2);
      offsets[id] = start;
      checkKind(words, start, id);
      const info = words[start + 1] ?? 0;
      const { thirdIsId, once, onceIds, each, eachNamed, eachId } = kindWords(info);
      if (thirdIsId) this.#checked(words[start + 2] ?? 0, id);
      const next = start + HEAD_WORDS;
      for (let at = next; at < next + onceIds; at++) this.#checked(words[at] ?? 0, id);
      const elements = next + once;
      const last = elements + each * vlenOfInfo(info);
      if (eachId >= 0)
        for (let at = elements + eachId; at < last; at += each) this.#checked(words[at] ?? 0, id);
      words[start] = numberOf((words[start] ?? 0) >>> 0, id);
      if (eachNamed)
        for (let at = elements; at < last; at += each) words[at] = numberOf((words[at] ?? 0) >>> 0, id);
    }
  }

  /** visitNameOffsets calls `visit` with each name that was read and an offset of it. */
  visitNameOffsets(visit: (name: number, offset: number) => void): void {
    for (const level of this.#levels) level.names.visit(visit);
  }

  /** stringEnd returns the end of the strings of a spec in the chain. */
  stringEnd(spec: Spec): number {
    const level = this.#levels.find((other) => other.spec === spec);
    return level === undefined ? 0 : level.stringStart + level.strings.length;
  }

  #checked(reference: number, id: TypeId): TypeId {
    const target = reference >>> 0;
    if (target < this.#endTypeId) return target;
    const message = `reference to type ${target}: the largest id is ${this.#endTypeId - 1}`;
    throw new BtfFormatError('MALFORMED', message, { typeId: id });
  }

  #level(id: TypeId): Level {
    for (let i = this.#levels.length - 1; i >= 0; i--) {
      const level = this.#levels[i];
      if (level !== undefined && id >= level.spec.firstTypeId && id < level.spec.endTypeId) return level;
    }
    throw noTypeWithId(id, this.#endTypeId);
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
  readonly base: Level | null;
  readonly words: Int32Array;
  readonly strings: Uint8Array;
  /** The offset of the first own string. */
  readonly stringStart: number;
  readonly names: Names;
  /** Where the types start, in bytes. */
  readonly starts: Uint32Array;

  constructor(spec: Spec, pool: StringPool, base: Level | null) {
    const { source, offsets } = typesOf(spec);
    const { strings } = parseHeader(spec.bytes);
    this.spec = spec;
    this.base = base;
    this.words = hostWords(source.bytes, spec.byteOrder);
    this.strings = spec.bytes.subarray(strings.offset, strings.offset + strings.length);
    this.stringStart = source.strings.end - strings.length;
    this.names = new Names(this, pool);
    this.starts = offsets;
  }

  offset(id: TypeId): number {
    return (this.starts[id - this.spec.firstTypeId] ?? 0) >>> 2;
  }
}

/** The names of types of one level, by offset. */
class Names {
  readonly #level: Level;
  readonly #pool: StringPool;
  readonly #numbers = new OffsetNumbers();
  /** The end of the level's strings. */
  readonly #end: number;
  #left: number;

  constructor(level: Level, pool: StringPool) {
    this.#level = level;
    this.#pool = pool;
    this.#end = level.stringStart + level.strings.length;
    this.#left = FREE_NAME_BYTES + NAMES_PER_SECTION * this.#end;
  }

  /**
   * Prepares for names of all types of the level. For strings of usual length, the table takes a few times the memory of
   * the types.
   */
  expectAll(): void {
    if (!this.#numbers.isEmpty || this.#end > MAX_STRING_BYTES * this.#level.spec.endTypeId) return;
    const table = this.#numbers.useTable(this.#end);
    const { strings, base } = this.#level;
    if (base === null && this.#pool.count === 1 && strings[0] === 0) this.#pool.internAll(strings, table);
  }

  /** See {@link OffsetNumbers.table}. */
  get table(): Int32Array | null {
    return this.#numbers.table;
  }

  number(offset: number, id: TypeId): number {
    if (offset === 0) return 0;
    const known = this.#numbers.get(offset);
    if (known >= 0) return known;
    const { strings, stringStart } = this.#owner(offset, id);
    const from = offset - stringStart;
    let to = from;
    while (to < strings.length && strings[to] !== 0) to++;
    this.#left -= to - from + 1;
    if (this.#left < 0) {
      const message = `names add up to more than ${NAMES_PER_SECTION} times the string section`;
      throw new BtfFormatError('LIMIT_EXCEEDED', message, { typeId: id });
    }
    const interned = -(this.table?.[offset] ?? 0);
    const number = interned > 0 ? interned : this.#pool.intern(strings, from, to);
    this.#numbers.add(offset, number);
    return number;
  }

  visit(visit: (name: number, offset: number) => void): void {
    this.#numbers.visit(visit);
  }

  /** The level, this one or a base, whose strings contain an offset. */
  #owner(offset: number, id: TypeId): Level {
    if (offset >= this.#end) {
      const message = `string offset ${offset} is after the end of the string section at ${this.#end}`;
      throw new BtfFormatError('MALFORMED', message, { typeId: id });
    }
    let owner = this.#level;
    while (offset < owner.stringStart && owner.base !== null) owner = owner.base;
    return owner;
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
