import { BtfFormatError } from '../format-error.js';
import { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { BtfBuildError } from './build-error.js';
import { CycleIndex } from './cycle-index.js';
import { downgrade } from './downgrade.js';
import { encodeType } from './encode-type.js';
import type { NewType } from './field-checks.js';
import { importCopies } from './import-copies.js';
import { type EqualTypes, importEqual } from './import-equal.js';
import { ImportSource } from './import-source.js';
import type { MarshalOptions } from './marshal-options.js';
import { sortTable } from './sort.js';
import { sharedStrings } from './string-layout.js';
import { StringPool } from './string-pool.js';
import { TypeTable } from './type-table.js';
import { WordIndex } from './word-index.js';
import { checkTypes, writeBtf } from './write-btf.js';

/** BuilderOptions are the options of {@link Builder}. */
export interface BuilderOptions {
  /**
   * The base that the types continue, for split BTF: their ids follow those of the base, which they may contain, and names
   * that the base has are not repeated. Types are not compared with those of the base: `dedup` of the result drops those
   * that the base has. Default: none.
   */
  readonly base?: Spec | null;
  /**
   * Whether a type that equals an earlier one gets the id of that one. Otherwise every `add` makes a type, and a type
   * of a spec is added once however often `addFrom` is called for it. Default: true.
   */
  readonly deduplicate?: boolean;
  /** Whether the DECL_TAGs on a spec's types and on their members are added with them. Default: true. */
  readonly declTags?: boolean;
}

/** BuilderParts are the types of a builder as they are stored, with numbers of strings in place of names. */
export interface BuilderParts {
  readonly table: TypeTable;
  readonly pool: StringPool;
}

let ownParts: (builder: Builder) => BuilderParts;

/** partsOf lets modules of this package read the types of a builder that grows, without marshalling it each time. */
export function partsOf(builder: Builder): BuilderParts {
  return ownParts(builder);
}

/**
 * Builder collects types and writes them as BTF. Modelled on `btf.Builder` of cilium/ebpf, and for split BTF on libbpf's
 * `btf__new_empty_split`.
 *
 * ```ts
 * const builder = new Builder();
 * const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
 * builder.add({ kind: 'PTR', typeId: int });
 * const task = builder.addFrom(vmlinux, vmlinux.idsByName('task_struct')[0]);
 * const bytes = builder.marshal();
 * ```
 *
 * Ids count from 1, or from the end of a base, in the order in which types are added, and do not change. Types are equal if
 * all their fields are equal and they refer to equal types, cycles included. A cycle that is built with {@link reserve} only
 * equals itself. A builder takes at most 16,777,216 types, with those of its base, and 256 MiB, which is what `Spec.parse`
 * reads by default.
 */
export class Builder {
  /** The spec that the types continue; null if they stand alone. */
  readonly base: Spec | null;
  readonly #pool = new StringPool();
  readonly #table: TypeTable;
  readonly #equal: EqualTypes | null;
  readonly #declTags: boolean;
  readonly #sources = new Map<Spec, ImportSource>();

  static {
    ownParts = (builder) => ({ table: builder.#table, pool: builder.#pool });
  }

  constructor({ base = null, deduplicate = true, declTags = true }: BuilderOptions = {}) {
    const table = new TypeTable(base === null ? 1 : base.endTypeId);
    this.base = base;
    this.#table = table;
    this.#equal = deduplicate ? { table, single: new WordIndex(table), cycles: new CycleIndex(table) } : null;
    this.#declTags = declTags;
  }

  /** The number of types, without void and without those of the base. */
  get typeCount(): number {
    return this.#table.count;
  }

  /** The id of the first type: 1, or the end of the base. */
  get firstTypeId(): TypeId {
    return this.#table.firstTypeId;
  }

  /** The first id that no type has yet: `firstTypeId + typeCount`. */
  get endTypeId(): TypeId {
    return this.#table.endTypeId;
  }

  /**
   * add adds a type. Ids in it are those of this builder and its base, and 0 is void. They may belong to types that are added
   * later: `marshal` checks that they exist.
   *
   * @returns the id of the type: 0 for void.
   * @throws BtfBuildError `INVALID_TYPE` if a field is missing, has the wrong type (possible in plain JavaScript), or
   * has a value that BTF cannot express.
   * @throws BtfBuildError `LIMIT_EXCEEDED` for too many types, elements or bytes.
   * @throws BtfBuildError `UNSUPPORTED` for a type of an unknown kind.
   */
  add(type: NewType): TypeId {
    if (isVoid(type)) return 0;
    const words = encodeType(type, this.#table.endTypeId, this.#pool);
    const known = this.#equal?.single.find(words, 0) ?? 0;
    if (known !== 0) return known;
    const id = this.#table.append(words, 0);
    this.#equal?.single.add(id);
    return id;
  }

  /**
   * reserve returns an id to use before its type is made, which cycles need. {@link define} must make the type.
   *
   * @throws BtfBuildError `LIMIT_EXCEEDED` for too many types.
   */
  reserve(): TypeId {
    return this.#table.reserve();
  }

  /**
   * define makes the type of a reserved id, even if there is an equal type.
   *
   * @throws BtfBuildError `INVALID_TYPE` if the id is not reserved or already has a type, if the type is void, and for
   * fields as {@link add} does.
   * @throws BtfBuildError `LIMIT_EXCEEDED` or `UNSUPPORTED` as {@link add} does.
   */
  define(id: TypeId, type: NewType): void {
    if (!this.#isReserved(id)) {
      throw new BtfBuildError('INVALID_TYPE', `type id ${String(id)} is not reserved`);
    }
    if (isVoid(type)) {
      throw new BtfBuildError('INVALID_TYPE', `type id ${id} cannot be defined as VOID`, { typeId: id });
    }
    const words = encodeType(type, id, this.#pool);
    const isNew = this.#equal?.single.find(words, 0) === 0;
    this.#table.define(id, words, 0);
    if (isNew) this.#equal?.single.add(id);
  }

  /**
   * addFrom adds a type of a spec or of its bases with everything that it refers to. Types of this builder's base, and of
   * the bases below it, are not added and keep their ids. So a spec that is split from the same base adds its own types.
   *
   * @returns the id of the type in this builder.
   * @throws BtfLookupError `NOT_FOUND` if the spec has no such id.
   * @throws BtfFormatError `MALFORMED` for a name outside the string section, and for a reference to a type that does
   * not exist.
   * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if names add up to more than 8 times the string section.
   * @throws BtfBuildError `LIMIT_EXCEEDED` for too many types or bytes. With deduplication, some types may have been
   * added when this fails.
   */
  addFrom(spec: Spec, id: TypeId): TypeId {
    return this.addAllFrom(spec, [id])[0] ?? 0;
  }

  /**
   * addAllFrom adds types of a spec as {@link addFrom} does. Without deduplication, they get ids in the given order.
   * The ids of the other types that they refer to follow, in the order of the spec. So all types of a spec without a
   * base keep their ids in a new builder.
   *
   * @returns the ids of the types in this builder, in the same order.
   * @throws BtfReadError as {@link addFrom} does.
   * @throws BtfBuildError `LIMIT_EXCEEDED` for too many types or bytes.
   */
  addAllFrom(spec: Spec, ids: Iterable<TypeId>): TypeId[] {
    const roots = [...ids];
    for (const id of roots) spec.kindOf(id);
    const source = this.#source(spec);
    if (this.#equal === null)
      importCopies(source, this.#table, roots, { declTags: this.#declTags, rootsFirst: true });
    else importEqual(source, this.#equal, roots, this.#declTags);
    return roots.map((id) => source.ids[id] ?? 0);
  }

  /**
   * marshal writes all types as BTF that stands alone, or is split from the base. It does not change the builder. Its
   * options do not change the types of the base.
   *
   * @throws BtfBuildError `INVALID_TYPE` for a reference to a type that does not exist, and for an id that was reserved
   * but not defined.
   * @throws BtfBuildError `LIMIT_EXCEEDED` for too many bytes, and for more than 65,535 elements in a type without
   * `wideVlen`.
   * @throws BtfFormatError `INVALID_ARGUMENT` if the byte order is invalid, or is not that of the base.
   */
  marshal(options: MarshalOptions = {}): Uint8Array {
    const { base } = this;
    if (base !== null && options.byteOrder !== undefined && options.byteOrder !== base.byteOrder) {
      const message = `byteOrder "${options.byteOrder}" is not that of the base, which is ${base.byteOrder}-endian`;
      throw new BtfFormatError('INVALID_ARGUMENT', message);
    }
    const table = downgrade(this.#table, this.#pool, options);
    const split =
      base === null ? {} : { byteOrder: base.byteOrder, baseStrings: sharedStrings(base, this.#pool) };
    if (options.sort !== true) return writeBtf(table, this.#pool, { ...options, ...split });
    checkTypes(table, options);
    return writeBtf(sortTable(table, this.#pool).table, this.#pool, { ...options, ...split });
  }

  /**
   * toSpec marshals and parses the types, so that they can be looked up.
   *
   * @throws BtfBuildError as {@link marshal} does.
   */
  toSpec(): Spec {
    return Spec.parse(this.marshal({ wideVlen: true }), { base: this.base });
  }

  #isReserved(id: TypeId): boolean {
    return (
      Number.isInteger(id) && id >= this.firstTypeId && id < this.endTypeId && this.#table.offset(id) < 0
    );
  }

  #source(spec: Spec): ImportSource {
    const known = this.#sources.get(spec);
    if (known !== undefined) return known;
    const source = new ImportSource(spec, this.#pool, commonEnd(spec, this.base));
    this.#sources.set(spec, source);
    return source;
  }
}

/**
 * Returns the first id that stands for different types in a spec and in a base. The ids before it are those of the highest
 * spec that is in both chains of bases; 1 if there is no such spec.
 */
function commonEnd(spec: Spec, base: Spec | null): TypeId {
  const own = new Set<Spec>();
  for (let level: Spec | null = spec; level !== null; level = level.base) own.add(level);
  for (let level = base; level !== null; level = level.base) if (own.has(level)) return level.endTypeId;
  return 1;
}

/** Whether a type is void. `encodeType` reports values that are not types at all. */
function isVoid(type: NewType): type is Extract<NewType, { kind: 'VOID' }> {
  const given: NewType | null | undefined = type;
  return given?.kind === 'VOID';
}
