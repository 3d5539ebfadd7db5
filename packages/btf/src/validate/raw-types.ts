import { type Spec, typesOf } from '../spec.js';
import type { StringTable } from '../strings.js';
import type { TypeId } from '../types.js';
import { hostWords, kindFlagOfInfo, kindOfInfo, RUN, vlenOfInfo } from '../words.js';
import { kindTest } from '../kind-words.js';

/** RawTypes reads types of a spec and its bases word by word, and decodes nothing. */
export class RawTypes {
  /** The first id that is too large. */
  readonly end: TypeId;
  readonly strings: StringTable;
  readonly #base: RawTypes | null;
  readonly #first: TypeId;
  readonly #words: Int32Array;
  readonly #offsets: Uint32Array;
  /** The kind of each type, those of the bases included: most reads are of kinds, of types all over the BTF. */
  readonly #kinds: Uint8Array;

  constructor(spec: Spec) {
    const { source, offsets } = typesOf(spec);
    this.end = spec.endTypeId;
    this.strings = source.strings;
    this.#base = spec.base === null ? null : new RawTypes(spec.base);
    this.#first = spec.firstTypeId;
    this.#words = hostWords(source.bytes, spec.byteOrder);
    this.#offsets = offsets;
    this.#kinds = new Uint8Array(this.end);
    if (this.#base !== null) this.#kinds.set(this.#base.#kinds);
    for (let id = this.#first; id < this.end; id += RUN) this.#readKinds(id);
  }

  /** Reads the kinds of some types. See {@link RUN}. */
  #readKinds(first: TypeId): void {
    const words = this.#words;
    const end = Math.min(this.end, first + RUN);
    for (let id = first; id < end; id++) {
      const offset = this.#offsets[id - this.#first] ?? 0;
      this.#kinds[id] = kindOfInfo(words[(offset >>> 2) + 1] ?? 0);
    }
  }

  /** info returns the info word; 0 for void. */
  info(id: TypeId): number {
    return this.word(id, 1) | 0;
  }

  /** kind returns the kind; 0 for void and for an id that is too large. */
  kind(id: TypeId): number {
    return this.#kinds[id] ?? 0;
  }

  vlen(id: TypeId): number {
    return vlenOfInfo(this.word(id, 1));
  }

  kindFlag(id: TypeId): boolean {
    return kindFlagOfInfo(this.word(id, 1));
  }

  nameOffset(id: TypeId): number {
    return this.word(id, 0);
  }

  /** third returns the word that is a size or a type id. */
  third(id: TypeId): number {
    return this.word(id, 2);
  }

  /** word returns the word of a type at an index, unsigned; 0 for void. The type must have that word. */
  word(id: TypeId, index: number): number {
    if (id < this.#first) return this.#base === null ? 0 : this.#base.word(id, index);
    return (this.#words[((this.#offsets[id - this.#first] ?? 0) >>> 2) + index] ?? 0) >>> 0;
  }
}

/** isModifier reports whether a kind is a modifier, as the kernel calls them: a typedef, a qualifier or a type tag. */
export const isModifier = kindTest(({ alias }) => alias);

/** isRegularInt reports whether the word of an INT describes whole bytes: 1, 2, 4, 8 or 16, without an offset. */
export function isRegularInt(intWord: number): boolean {
  const bits = intWord & 0xff;
  return (
    ((intWord >>> 16) & 0xff) === 0 &&
    (bits === 8 || bits === 16 || bits === 32 || bits === 64 || bits === 128)
  );
}

/**
 * latin1At returns a string byte by byte, so that different bytes give different characters.
 *
 * @param limit maximum number of bytes; the rest is left out.
 */
export function latin1At(strings: StringTable, offset: number, limit: number): string {
  let text = '';
  for (let at = offset; at < offset + limit; at++) {
    const byte = strings.byteAt(at);
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}
