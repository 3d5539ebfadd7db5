import { BtfFormatError } from '../format-error.js';
import { kindFlagOfInfo, kindOfInfo, vlenOfInfo } from '../info.js';
import { type Spec, typesOf } from '../spec.js';
import type { TypeId } from '../types.js';

/** Words of one member of a STRUCT or UNION: name, type id, offset. */
export const MEMBER_WORDS = 3;

/** Words of one parameter of a FUNC_PROTO: name, type id. */
export const PARAM_WORDS = 2;

/** Words before a type's elements: name, info, size or type id. */
const HEAD_WORDS = 3;

/**
 * TypeWords reads types of a Spec and of its bases word by word. Printing all of vmlinux asks for each type
 * many times; decoding it each time would take longer than all else.
 *
 * It holds a copy of the words, in the byte order of this machine, and four bytes for each type.
 */
export class TypeWords {
  /** The first id that is too large. */
  readonly endTypeId: TypeId;
  readonly #words: Int32Array;
  /** The index of each type's first word, by id. */
  readonly #starts: Uint32Array;

  constructor(spec: Spec) {
    this.endTypeId = spec.endTypeId;
    this.#words = new Int32Array(wordCount(spec));
    this.#starts = new Uint32Array(spec.endTypeId);
    copyTypes(spec, this.#words, this.#starts);
  }

  /** at is a word by its index, as {@link elements} counts. */
  at(index: number): number {
    return this.#words[index] ?? 0;
  }

  /** unsignedAt is {@link at} of a word that holds a type id, an offset or a size. */
  unsignedAt(index: number): number {
    return (this.#words[index] ?? 0) >>> 0;
  }

  /**
   * elements is the index of the word behind the first three of a type, where its members, values, parameters or
   * array start.
   */
  elements(id: TypeId): number {
    return this.#start(id) + HEAD_WORDS;
  }

  /**
   * kind is a type's `Kind`; that of void is 0.
   *
   * @throws BtfFormatError `NOT_FOUND` when there is no such type, as everything here.
   */
  kind(id: TypeId): number {
    return id === 0 ? 0 : kindOfInfo(this.at(this.#start(id) + 1));
  }

  /** vlen counts a type's elements. */
  vlen(id: TypeId): number {
    return vlenOfInfo(this.at(this.#start(id) + 1));
  }

  kindFlag(id: TypeId): boolean {
    return kindFlagOfInfo(this.at(this.#start(id) + 1));
  }

  /** third is the size or type id, as the kind has it. */
  third(id: TypeId): number {
    return this.unsignedAt(this.#start(id) + 2);
  }

  /** name is where a type's name starts in the string section; 0 where it has none. */
  name(id: TypeId): number {
    return this.unsignedAt(this.#start(id));
  }

  #start(id: TypeId): number {
    const start = this.#starts[id];
    if (start !== undefined) return start;
    throw new BtfFormatError('NOT_FOUND', `no type with id ${id}: ids end before ${this.endTypeId}`);
  }
}

function wordCount(spec: Spec): number {
  return ownWords(spec) + (spec.base === null ? 0 : wordCount(spec.base));
}

function ownWords(spec: Spec): number {
  return typesOf(spec).source.bytes.length >>> 2;
}

/** Copies the types of the bases, then the spec's own; returns how many words that are. */
function copyTypes(spec: Spec, words: Int32Array, starts: Uint32Array): number {
  const first = spec.base === null ? 0 : copyTypes(spec.base, words, starts);
  const { source, offsets } = typesOf(spec);
  const count = ownWords(spec);
  for (let i = 0; i < count; i++) words[first + i] = source.words.i32(i * 4);
  for (let i = 0; i < offsets.length; i++) starts[spec.firstTypeId + i] = first + (offsets[i] ?? 0) / 4;
  return first + count;
}
