import { TypeSource } from './decode/type-source.js';
import { decodeType } from './decode/type.js';
import { BtfFormatError } from './format-error.js';
import { type BtfHeader, type ByteOrder, needsBase, parseHeader } from './header.js';
import { type KindSizes, kindSizes } from './kind-sizes.js';
import { KeptTypes } from './kept-types.js';
import { limitsOf, type ParseLimits } from './limits.js';
import { noTypeWithId } from './lookup-error.js';
import { NameSearch } from './name-search.js';
import { type BtfNote, kindsNote } from './notes.js';
import { StringTable, searchedBytes } from './strings.js';
import { indexTypes } from './type-index.js';
import type { Type, TypeId, Void } from './types.js';
import { kindOfInfo, wordsOf } from './words.js';

const VOID: Void = { kind: 'VOID', id: 0, name: '' };

/** SpecTypes holds a Spec's own types: type `id` starts at `offsets[id - firstTypeId]` in `source`. */
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
 * sizeOrTypeIdOf returns the third word of a type, a size or a type id depending on its kind. It does not decode the
 * type: many types may lead to the same composite with a million members.
 *
 * @throws BtfLookupError `NOT_FOUND` if there is no such id.
 */
export function sizeOrTypeIdOf(spec: Spec, id: TypeId): number {
  return thirdWord(spec, id);
}

let decodeKept: (spec: Spec, id: TypeId) => Type;

/**
 * keptTypeById is `Spec.typeById` for types that are read again and again, such as a struct in which members are searched. It
 * keeps the decoded type as `Spec.typesByName` does.
 *
 * @throws BtfReadError as `Spec.typeById` does.
 */
export function keptTypeById(spec: Spec, id: TypeId): Type {
  return decodeKept(spec, id);
}

let parseNoted: (bytes: Uint8Array, options: ParseOptions, notes: readonly BtfNote[]) => Spec;

/**
 * parseRewritten is `Spec.parse` for BTF that was made of another one, whose notes the result has.
 *
 * @throws BtfReadError as `Spec.parse` does.
 */
export function parseRewritten(bytes: Uint8Array, options: ParseOptions, notes: readonly BtfNote[]): Spec {
  return parseNoted(bytes, options, notes);
}

/** ParseOptions are the options of {@link Spec.parse}. */
export interface ParseOptions {
  /** The base that split BTF continues. Default: none. */
  readonly base?: Spec | null;
  /** Limits to use instead of {@link DEFAULT_PARSE_LIMITS}. */
  readonly limits?: Partial<ParseLimits>;
}

/**
 * Spec is the type information of one BTF object. Modelled on `btf.Spec` of cilium/ebpf.
 *
 * Parsing finds where each type starts. A type is decoded each time it is asked for, so two decodings of a type are
 * equal but may be different objects: compare ids. A Spec takes its bytes and four more for each type. It also keeps the
 * text of the string section after many names were read, and an index of names after several were searched. Types that
 * {@link typesByName} decoded are kept until a garbage collection.
 *
 * A Spec never changes. It aliases the bytes that it was parsed from, and may return a decoded type again. Neither must be
 * changed.
 */
export class Spec implements Iterable<Type> {
  /** The spec that this one continues; null if it stands alone. */
  readonly base: Spec | null;
  readonly byteOrder: ByteOrder;
  /** The raw BTF that was parsed, without that of the base: the very array that was passed, not a copy. */
  readonly bytes: Uint8Array;
  /** The id of the first own type: 1, or the end of the base. */
  readonly firstTypeId: TypeId;
  /** Number of the spec's own types: without void and without those of the base. */
  readonly typeCount: number;
  /** The first id that is too large: `firstTypeId + typeCount`. */
  readonly endTypeId: TypeId;
  /**
   * The parts of the BTF that this library does not know, as a later kernel may write: nothing else is missing from the
   * Spec. Empty for the BTF of today's kernels. The notes of the base are those of {@link base}.
   */
  readonly notes: readonly BtfNote[];
  readonly #depth: number;
  readonly #sizes: KindSizes;
  readonly #source: TypeSource;
  readonly #offsets: Uint32Array;
  readonly #names: NameSearch;
  readonly #kept = new KeptTypes();

  static {
    ownTypes = (spec) => ({ source: spec.#source, offsets: spec.#offsets });
    parseNoted = (bytes, options, notes) => Spec.#parse(bytes, options, notes);
    decodeKept = (spec, id) => {
      const [known] = spec.#kept.get(id) ?? [];
      if (known !== undefined) return known;
      const type = spec.typeById(id);
      spec.#kept.keep(id, [type]);
      return type;
    };
    thirdWord = (spec, id) => {
      const owner = spec.#owner(id);
      return owner.#source.words.u32(owner.#offset(id - owner.firstTypeId) + 8);
    };
  }

  /**
   * parse reads the header and the layout section and finds the types. Names and other contents of a type are checked
   * when the type is decoded, and ids in it when they are looked up. Unknown flags, header fields, sections and kinds
   * become {@link notes}.
   *
   * @param bytes a whole BTF in either byte order, as the kernel exports it or as an ELF section `.BTF` holds it.
   * @throws BtfFormatError `MALFORMED` if the header, the layout section or the extent of a type is invalid.
   * @throws BtfFormatError `UNSUPPORTED` for an unknown version, and for a kind of unknown size.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the BTF exceeds one of the limits.
   * @throws BtfFormatError `MISSING_BASE` if there is no base and {@link isSplit} reports that one is needed.
   * @throws BtfFormatError `BASE_MISMATCH` if the base has the other byte order.
   * @throws BtfFormatError `INVALID_ARGUMENT` if a limit is not a count.
   */
  static parse(bytes: Uint8Array, options: ParseOptions = {}): Spec {
    return Spec.#parse(bytes, options, []);
  }

  static #parse(bytes: Uint8Array, options: ParseOptions, notes: readonly BtfNote[]): Spec {
    const limits = limitsOf(options.limits);
    const base = options.base ?? null;
    if (bytes.length > limits.bytes) {
      throw new BtfFormatError(
        'LIMIT_EXCEEDED',
        `BTF of ${bytes.length} bytes exceeds the limit of ${limits.bytes}`,
      );
    }
    if (base !== null && base.#depth >= limits.baseDepth) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `split BTF has more than ${limits.baseDepth} bases`);
    }
    const header = parseHeader(bytes);
    checkBase(bytes, header, base);
    checkStringsEnd(bytes, header);
    return new Spec(bytes, header, base, limits, [...notes, ...header.notes]);
  }

  private constructor(
    bytes: Uint8Array,
    header: BtfHeader,
    base: Spec | null,
    limits: ParseLimits,
    notes: readonly BtfNote[],
  ) {
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
      bytes: typeBytes,
      order: byteOrder,
      section: types,
      sizes: this.#sizes,
      firstTypeId: this.firstTypeId,
      limit: limits.types,
    });
    this.#names = new NameSearch(words, this.#offsets, table);
    this.notes = this.#sizes.hasUnknown ? [...notes, ...kindsNote(words, this.#offsets, types)] : notes;
    this.typeCount = this.#offsets.length;
    this.endTypeId = this.firstTypeId + this.typeCount;
  }

  /**
   * typeById decodes a type of this spec or of its base. 0 is void.
   *
   * @throws BtfLookupError `NOT_FOUND` if there is no such id.
   * @throws BtfFormatError `MALFORMED` if a name of the type lies outside the string section.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if its names are too long.
   */
  typeById(id: TypeId): Type {
    if (id === 0) return VOID;
    const spec = this.#owner(id);
    return spec.#decode(id, spec.#offset(id - spec.firstTypeId));
  }

  /**
   * kindOf returns the number of a type's kind (see `Kind`) without decoding the type.
   *
   * @throws BtfLookupError `NOT_FOUND` if there is no such id.
   */
  kindOf(id: TypeId): number {
    if (id === 0) return 0;
    const spec = this.#owner(id);
    return kindOfInfo(spec.#source.words.i32(spec.#offset(id - spec.firstTypeId) + 4));
  }

  /**
   * nameOf returns a type's name, empty for an anonymous type, without decoding the type.
   *
   * @throws BtfLookupError `NOT_FOUND` if there is no such id.
   * @throws BtfFormatError `MALFORMED` if the name lies outside the string section.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the name is too long.
   */
  nameOf(id: TypeId): string {
    if (id === 0) return '';
    const spec = this.#owner(id);
    return spec.#source.name(spec.#offset(id - spec.firstTypeId), id);
  }

  /**
   * typesByName decodes the types with a name in the order of their ids, those of the base first. Names repeat: `struct
   * file` and a function `file` may both exist, and a kernel may have several types of one kind and name.
   *
   * @returns an empty array if there are none.
   * @throws BtfFormatError `MALFORMED` if another name in such a type lies outside the string section.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the names in such a type are too long.
   */
  typesByName(name: string): Type[] {
    let types = this.#kept.get(name);
    if (types === undefined) {
      types = this.idsByName(name).map((id) => this.typeById(id));
      this.#kept.keep(name, types);
    }
    return types.slice();
  }

  /**
   * idsByName finds the types with a name and returns their ids in ascending order, those of the base first. The name
   * is compared as UTF-8. Each of the first four calls is one pass over the names of all types; the fifth builds the index
   * of {@link indexNames}.
   */
  idsByName(name: string): TypeId[] {
    const bytes = searchedBytes(name);
    return (bytes === null ? null : this.#find(bytes)) ?? [];
  }

  /**
   * indexNames builds the index of names at once, if there is none yet: one pass over the names of all types. The index takes
   * at most eight bytes for each type, and is kept. The index of a base is built too.
   */
  indexNames(): void {
    this.base?.indexNames();
    this.#names.buildIndex();
  }

  /**
   * typeIds iterates over the ids of the spec's own types in ascending order, without decoding the types.
   *
   * @param first the id to start from: 1 also iterates over the types of the base. Default: {@link firstTypeId}.
   */
  *typeIds(first: TypeId = this.firstTypeId): IterableIterator<TypeId> {
    for (let id = first; id < this.endTypeId; id++) yield id;
  }

  /**
   * types decodes the spec's own types in the order of their ids, one at a time.
   *
   * @throws BtfFormatError `MALFORMED` if a name of a type lies outside the string section.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the names of a type are too long.
   */
  *types(): IterableIterator<Type> {
    for (let id = this.firstTypeId; id < this.endTypeId; id++) yield this.typeById(id);
  }

  /**
   * Iterates over the spec's own types. See {@link types}.
   *
   * @throws BtfReadError as {@link types} does.
   */
  [Symbol.iterator](): IterableIterator<Type> {
    return this.types();
  }

  #find(name: Uint8Array): TypeId[] | null {
    return this.#names.find(name, this.firstTypeId, this.base === null ? null : this.base.#find(name));
  }

  /** Decodes a type of this spec that starts at an offset. */
  #decode(id: TypeId, at: number): Type {
    const end = this.#offsets[id - this.firstTypeId + 1] ?? this.#source.bytes.length;
    return decodeType(this.#source, at, end, id);
  }

  /** The spec in the chain of bases that the id belongs to. */
  #owner(id: TypeId): Spec {
    if (!Number.isInteger(id) || id < 0 || id >= this.endTypeId) {
      throw noTypeWithId(id, this.endTypeId);
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
    const message = `split BTF is ${header.byteOrder}-endian, but its base is ${base.byteOrder}-endian`;
    throw new BtfFormatError('BASE_MISMATCH', message, { offset: 0 });
  }
}

function checkStringsEnd(bytes: Uint8Array, { strings }: BtfHeader): void {
  const last = strings.offset + strings.length - 1;
  if (strings.length > 0 && bytes[last] !== 0) {
    throw new BtfFormatError('MALFORMED', 'string section does not end in NUL', { offset: last });
  }
}
