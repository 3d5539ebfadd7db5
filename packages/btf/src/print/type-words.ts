import { noTypeWithId } from '../lookup-error.js';
import { HEAD_WORDS } from '../kind-words.js';
import { standsForOther } from '../query/resolve.js';
import { type Spec, typesOf } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import { hostWords, kindFlagOfInfo, kindOfInfo, vlenOfInfo, withRoom } from '../words.js';

/** Words of one member of a STRUCT or UNION: name, type id, offset. */
export const MEMBER_WORDS = 3;

/** Words of one parameter of a FUNC_PROTO: name, type id. */
export const PARAM_WORDS = 2;

/** Words of one value of an ENUM: name, value. */
export const ENUM_WORDS = 2;

/** Words of one value of an ENUM64: name, low and high word of the value. */
export const ENUM64_WORDS = 3;

/**
 * TypeWords reads types of a Spec and of its bases word by word. Printing all of vmlinux reads each type many times;
 * decoding it each time would take longer than everything else.
 */
export class TypeWords {
  readonly #base: TypeWords | null;
  readonly #firstTypeId: TypeId;
  #endTypeId: TypeId;
  /** Own words. Indices continue those of the base. */
  #words: Int32Array;
  readonly #firstWord: number;
  #endWord: number;
  /** Where each own type starts, in bytes. */
  #offsets: Uint32Array;

  constructor(spec: Spec) {
    this.#endTypeId = spec.endTypeId;
    this.#base = spec.base === null ? null : typeWordsOf(spec.base);
    this.#firstTypeId = spec.firstTypeId;
    this.#words = hostWords(typesOf(spec).source.bytes, spec.byteOrder);
    this.#firstWord = this.#base === null ? 0 : this.#base.#endWord;
    this.#endWord = this.#firstWord + this.#words.length;
    this.#offsets = typesOf(spec).offsets;
  }

  /** The first id that is too large. */
  get endTypeId(): TypeId {
    return this.#endTypeId;
  }

  /** append adds a type with the next id, which the spec does not have. Nothing must continue this spec. */
  append(words: Int32Array): void {
    const index = this.#endTypeId - this.#firstTypeId;
    const at = this.#endWord - this.#firstWord;
    this.#words = withRoom(this.#words, at + words.length);
    this.#words.set(words, at);
    if (index >= this.#offsets.length) {
      const longer = new Uint32Array((index + 1) * 2);
      longer.set(this.#offsets);
      this.#offsets = longer;
    }
    this.#offsets[index] = at * 4;
    this.#endWord += words.length;
    this.#endTypeId += 1;
  }

  /** at returns a word by its index, which counts as in {@link elements}. */
  at(index: number): number {
    if (index < this.#firstWord && this.#base !== null) return this.#base.at(index);
    return this.#words[index - this.#firstWord] ?? 0;
  }

  /** unsignedAt is {@link at} for a word that is a type id, an offset or a size. */
  unsignedAt(index: number): number {
    return this.at(index) >>> 0;
  }

  /**
   * elements returns the index of the word after the first three of a type, where its members, values, parameters or
   * array start.
   */
  elements(id: TypeId): number {
    return this.#start(id) + HEAD_WORDS;
  }

  /**
   * kind returns the kind of a type; 0 for void.
   *
   * @throws BtfLookupError `NOT_FOUND` if there is no such type. The other methods throw it too.
   */
  kind(id: TypeId): number {
    return id === 0 ? 0 : kindOfInfo(this.at(this.#start(id) + 1));
  }

  /** vlen returns the number of elements of a type. */
  vlen(id: TypeId): number {
    return vlenOfInfo(this.at(this.#start(id) + 1));
  }

  kindFlag(id: TypeId): boolean {
    return kindFlagOfInfo(this.at(this.#start(id) + 1));
  }

  /** third returns the size or type id, depending on the kind. */
  third(id: TypeId): number {
    return this.unsignedAt(this.#start(id) + 2);
  }

  /** elementType returns the type of the elements of an ARRAY. */
  elementType(id: TypeId): TypeId {
    return this.unsignedAt(this.elements(id));
  }

  /** arrayLength returns the number of elements of an ARRAY. */
  arrayLength(id: TypeId): number {
    return this.unsignedAt(this.elements(id) + 2);
  }

  /** target returns the type that an ARRAY, PTR, typedef, qualifier or type tag is made of; null for any other kind. */
  target(id: TypeId): TypeId | null {
    const kind = this.kind(id);
    if (kind === Kind.ARRAY) return this.elementType(id);
    return kind === Kind.PTR || standsForOther(kind) ? this.third(id) : null;
  }

  /** keyword returns the keyword of a struct, union or enum; null for any other type. */
  keyword(id: TypeId): 'struct' | 'union' | 'enum' | null {
    switch (this.kind(id)) {
      case Kind.STRUCT:
        return 'struct';
      case Kind.UNION:
        return 'union';
      case Kind.FWD:
        return this.kindFlag(id) ? 'union' : 'struct';
      case Kind.ENUM:
      case Kind.ENUM64:
        return 'enum';
      default:
        return null;
    }
  }

  /** name returns where the name of a type starts in the string section; 0 if it has none. */
  name(id: TypeId): number {
    return this.unsignedAt(this.#start(id));
  }

  #start(id: TypeId): number {
    if (id < this.#firstTypeId && this.#base !== null) return this.#base.#start(id);
    const offset = id < this.#endTypeId ? this.#offsets[id - this.#firstTypeId] : undefined;
    if (offset !== undefined) return this.#firstWord + offset / 4;
    throw noTypeWithId(id, this.endTypeId);
  }
}

const kept = new WeakMap<Spec, TypeWords>();

/** typeWordsOf returns the TypeWords of a spec, which is made once. */
export function typeWordsOf(spec: Spec): TypeWords {
  let types = kept.get(spec);
  if (types === undefined) {
    types = new TypeWords(spec);
    kept.set(spec, types);
  }
  return types;
}
