import { type Spec, typesOf } from '../spec.js';
import type { StringTable } from '../strings.js';
import type { TypeId } from '../types.js';
import { hostWords, kindFlagOfInfo, kindOfInfo, RUN, vlenOfInfo } from '../words.js';
import { kindTest } from '../kind-words.js';

/**
 * RawTypes reads types of a spec and its bases word by word, and decodes nothing. The kind of a type and the index of its
 * first word are in arrays: most reads are of types all over the BTF.
 */
export class RawTypes {
  /** The first id that is too large. */
  readonly end: TypeId;
  readonly strings: StringTable;
  /** The words of the types: a view of the BTF, or a copy if it has bases, whose words are first. */
  readonly words: Int32Array;
  /** The kind of each type; 0 for void. */
  readonly #kinds: Uint8Array;
  readonly #starts: Uint32Array;

  constructor(spec: Spec) {
    const specs: Spec[] = [];
    for (let next: Spec | null = spec; next !== null; next = next.base) specs.unshift(next);
    const sections = specs.map((each) => hostWords(typesOf(each).source.bytes, each.byteOrder));
    this.end = spec.endTypeId;
    this.strings = typesOf(spec).source.strings;
    this.words = joined(sections);
    this.#kinds = new Uint8Array(this.end);
    this.#starts = new Uint32Array(this.end);
    // Void has no words, so all that are read are 0.
    this.#starts[0] = this.words.length;
    let at = 0;
    for (const [i, each] of specs.entries()) {
      for (let type = 0; type < each.typeCount; type += RUN) this.#readTypes(each, type, at);
      at += sections[i]?.length ?? 0;
    }
  }

  /**
   * Reads some types. See {@link RUN}.
   *
   * @param section the index of the spec's first word in {@link words}.
   */
  #readTypes(spec: Spec, first: number, section: number): void {
    const { words } = this;
    const kinds = this.#kinds;
    const starts = this.#starts;
    const { offsets } = typesOf(spec);
    const { firstTypeId } = spec;
    const end = Math.min(offsets.length, first + RUN);
    for (let type = first; type < end; type++) {
      const start = section + ((offsets[type] ?? 0) >>> 2);
      starts[firstTypeId + type] = start;
      kinds[firstTypeId + type] = kindOfInfo(words[start + 1] ?? 0);
    }
  }

  /** start returns the index of the first word of a type in {@link words}. */
  start(id: TypeId): number {
    return this.#starts[id] ?? 0;
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
    return (this.words[(this.#starts[id] ?? 0) + index] ?? 0) >>> 0;
  }
}

function joined(sections: readonly Int32Array[]): Int32Array {
  const [only, ...others] = sections;
  if (only !== undefined && others.length === 0) return only;
  const words = new Int32Array(sections.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const section of sections) {
    words.set(section, at);
    at += section.length;
  }
  return words;
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
