import { TypeSource } from './decode/type-source.js';
import { decodeType } from './decode/type.js';
import { BtfFormatError } from './format-error.js';
import { type BtfHeader, type ByteOrder, needsBase, parseHeader } from './header.js';
import { type KindSizes, kindSizes } from './kind-sizes.js';
import { limitsOf, type ParseLimits } from './limits.js';
import { NameSearch } from './name-search.js';
import { StringTable } from './strings.js';
import { indexTypes } from './type-index.js';
import type { Type, TypeId, Void } from './types.js';
import { kindOfInfo, wordsOf } from './words.js';

const VOID: Void = { kind: 'VOID', id: 0, name: '' };

/** SpecTypes is where a Spec keeps its own types: one starts at `offsets[id - firstTypeId]` in `source`. */
export interface SpecTypes {
  readonly source: TypeSource;
  readonly offsets: Uint32Array;
}

let ownTypes: (spec: Spec) => SpecTypes;

/** typesOf lets modules of this package read types word by word, where decoding all of them is too slow. */
export function typesOf(spec: Spec): SpecTypes {
  return ownTypes(spec);
}

let thirdWord: (spec: Spec, id: TypeId) => number;

/**
 * sizeOrTypeIdOf reads the third word of a type, which is a size or a type id as its kind has it. A composite with a
 * million members is not decoded for it: many types may lead to the same one.
 *
 * @throws BtfFormatError `NOT_FOUND`.
 */
export function sizeOrTypeIdOf(spec: Spec, id: TypeId): number {
  return thirdWord(spec, id);
}

/** ParseOptions are the options of {@link Spec.parse}. */
export interface ParseOptions {
  /** What split BTF continues. Default: none. */
  readonly base?: Spec | null;
  /** Limits that differ from {@link DEFAULT_PARSE_LIMITS}. */
  readonly limits?: Partial<ParseLimits>;
}

/**
 * Spec is the type information of one BTF object.
 *
 * Parsing finds where each type starts; a type is decoded each time it is asked for and is not kept, so
 * that a Spec takes its bytes and four more for each type, plus the text of the string section once many
 * names were read, plus an index of names once several were searched. Two decodings of a type are equal but not the same object: compare ids.
 *
 * A Spec never changes. It aliases the bytes it was parsed from, which must not change either.
 */
export class Spec implements Iterable<Type> {
  /** The spec that this one continues; null where it stands alone. */
  readonly base: Spec | null;
  readonly byteOrder: ByteOrder;
  /** The raw BTF that was parsed, without its base's: the very array that was given, not a copy. */
  readonly bytes: Uint8Array;
  /** The id of the first own type: 1, or the end of the base. */
  readonly firstTypeId: TypeId;
  /** Own types: without void and without the base's. */
  readonly typeCount: number;
  /** The first id that is too large: `firstTypeId + typeCount`. */
  readonly endTypeId: TypeId;
  readonly #depth: number;
  readonly #sizes: KindSizes;
  readonly #source: TypeSource;
  readonly #offsets: Uint32Array;
  readonly #names: NameSearch;

  static {
    ownTypes = (spec) => ({ source: spec.#source, offsets: spec.#offsets });
    thirdWord = (spec, id) => {
      const owner = spec.#owner(id);
      return owner.#source.words.u32(owner.#offset(id - owner.firstTypeId) + 8);
    };
  }

  /**
   * parse reads header and layout and finds the types. Names and what else a type holds are checked when
   * it is decoded, ids in it when they are looked up.
   *
   * @param bytes a whole BTF in either byte order, as the kernel gives it or as an ELF section `.BTF` holds it.
   * @throws BtfFormatError `MALFORMED`, `UNSUPPORTED`, `LIMIT_EXCEEDED`, `BASE_MISMATCH` when the base has the
   * other byte order; `MISSING_BASE` where {@link isSplit} says that a base is needed; `INVALID_ARGUMENT` for a limit
   * that is not a count.
   */
  static parse(bytes: Uint8Array, options: ParseOptions = {}): Spec {
    const limits = limitsOf(options.limits);
    const base = options.base ?? null;
    if (bytes.length > limits.bytes) {
      throw new BtfFormatError(
        'LIMIT_EXCEEDED',
        `BTF of ${bytes.length} bytes exceeds the limit of ${limits.bytes}`,
      );
    }
    if (base !== null && base.#depth >= limits.baseDepth) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `more than ${limits.baseDepth} bases below split BTF`);
    }
    const header = parseHeader(bytes);
    checkBase(bytes, header, base);
    checkStringsEnd(bytes, header);
    return new Spec(bytes, header, base, limits);
  }

  private constructor(bytes: Uint8Array, header: BtfHeader, base: Spec | null, limits: ParseLimits) {
    const { types, strings, byteOrder } = header;
    const typeBytes = bytes.subarray(types.offset, types.offset + types.length);
    const stringBytes = bytes.subarray(strings.offset, strings.offset + strings.length);
    const words = wordsOf(typeBytes, byteOrder);
    const table = new StringTable(
      stringBytes,
      base === null ? null : base.#source.strings,
      limits.nameLength,
    );
    this.base = base;
    this.byteOrder = byteOrder;
    this.bytes = bytes;
    this.firstTypeId = base === null ? 1 : base.endTypeId;
    this.#depth = base === null ? 0 : base.#depth + 1;
    this.#sizes = kindSizes(bytes, header, base === null ? null : base.#sizes);
    this.#source = new TypeSource(words, table, typeBytes, types.offset);
    this.#offsets = indexTypes({
      words,
      section: types,
      sizes: this.#sizes,
      firstTypeId: this.firstTypeId,
      limit: limits.types,
    });
    this.#names = new NameSearch(words, this.#offsets, table);
    this.typeCount = this.#offsets.length;
    this.endTypeId = this.firstTypeId + this.typeCount;
  }

  /**
   * typeById decodes a type of this spec or of its base. 0 is void.
   *
   * @throws BtfFormatError `NOT_FOUND` when there is no such id; `MALFORMED` when a name of the type is.
   */
  typeById(id: TypeId): Type {
    if (id === 0) return VOID;
    const spec = this.#owner(id);
    const index = id - spec.firstTypeId;
    const end = spec.#offsets[index + 1] ?? spec.#source.bytes.length;
    return decodeType(spec.#source, spec.#offset(index), end, id);
  }

  /**
   * kindOf returns the number of a type's kind (see `Kind`) without decoding the type.
   *
   * @throws BtfFormatError `NOT_FOUND`.
   */
  kindOf(id: TypeId): number {
    if (id === 0) return 0;
    const spec = this.#owner(id);
    return kindOfInfo(spec.#source.words.i32(spec.#offset(id - spec.firstTypeId) + 4));
  }

  /**
   * nameOf returns a type's name, empty when it is anonymous, without decoding the type.
   *
   * @throws BtfFormatError `NOT_FOUND`; `MALFORMED` when the name lies outside of the string section.
   */
  nameOf(id: TypeId): string {
    if (id === 0) return '';
    const spec = this.#owner(id);
    return spec.#source.name(spec.#offset(id - spec.firstTypeId), id);
  }

  /**
   * typesByName decodes the types with a name, the base's first, in the order of their ids. Names repeat:
   * `struct file` and a function `file` may both be there, and a kernel may have several of one kind.
   *
   * @returns an empty array when there are none.
   * @throws BtfFormatError `MALFORMED` when another name in such a type is.
   */
  typesByName(name: string): Type[] {
    return this.idsByName(name).map((id) => this.typeById(id));
  }

  /**
   * idsByName finds the types with a name, the base's first, in ascending order. The name is compared as
   * UTF-8. The first four calls are each one pass over the types' names; then an index of at most eight bytes
   * for each type is made and kept.
   */
  idsByName(name: string): TypeId[] {
    if (name.includes('\0')) return [];
    return this.#idsOf(new TextEncoder().encode(name));
  }

  /**
   * typeIds iterates over the ids of the own types in ascending order, without decoding the types.
   *
   * @param first the id to start from: 1 also iterates over the types of the base. Default: {@link firstTypeId}.
   */
  *typeIds(first: TypeId = this.firstTypeId): IterableIterator<TypeId> {
    for (let id = first; id < this.endTypeId; id++) yield id;
  }

  /**
   * types decodes the own types in the order of their ids, one at a time.
   *
   * @throws BtfFormatError `MALFORMED` if a type has a name outside the string section; `LIMIT_EXCEEDED` if its names are
   * too long.
   */
  *types(): IterableIterator<Type> {
    for (let id = this.firstTypeId; id < this.endTypeId; id++) yield this.typeById(id);
  }

  /** The same as {@link types}. */
  [Symbol.iterator](): IterableIterator<Type> {
    return this.types();
  }

  #idsOf(name: Uint8Array): TypeId[] {
    const ids = this.base === null ? [] : this.base.#idsOf(name);
    this.#names.find(name, (index) => ids.push(this.firstTypeId + index));
    return ids;
  }

  /** The spec of the chain of bases in which the id lies. */
  #owner(id: TypeId): Spec {
    if (!Number.isInteger(id) || id < 0 || id >= this.endTypeId) {
      throw new BtfFormatError('NOT_FOUND', `no type with id ${id}: ids end before ${this.endTypeId}`);
    }
    return this.base === null || id >= this.firstTypeId ? this : this.base.#owner(id);
  }

  #offset(index: number): number {
    return this.#offsets[index] ?? 0;
  }
}

function checkBase(bytes: Uint8Array, header: BtfHeader, base: Spec | null): void {
  if (base === null) {
    if (!needsBase(bytes, header)) return;
    throw new BtfFormatError('MISSING_BASE', 'missing base types: this is split BTF, which needs its base');
  }
  if (base.byteOrder !== header.byteOrder) {
    const message = `split BTF is ${header.byteOrder}-endian, its base ${base.byteOrder}-endian`;
    throw new BtfFormatError('BASE_MISMATCH', message, { offset: 0 });
  }
}

function checkStringsEnd(bytes: Uint8Array, { strings }: BtfHeader): void {
  const last = strings.offset + strings.length - 1;
  if (strings.length > 0 && bytes[last] !== 0) {
    throw new BtfFormatError('MALFORMED', 'string section does not end in NUL', { offset: last });
  }
}
