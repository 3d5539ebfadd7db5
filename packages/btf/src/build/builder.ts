import { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { BtfBuildError } from './build-error.js';
import { CircleIndex } from './circle-index.js';
import { downgrade } from './downgrade.js';
import { encodeType } from './encode-type.js';
import type { NewType } from './field-checks.js';
import { importCopies } from './import-copies.js';
import { type EqualTypes, importEqual } from './import-equal.js';
import { ImportSource } from './import-source.js';
import type { MarshalOptions } from './marshal-options.js';
import { StringPool } from './string-pool.js';
import { TypeTable } from './type-table.js';
import { WordIndex } from './word-index.js';
import { writeBtf } from './write-btf.js';

/** BuilderOptions are the options of {@link Builder}. */
export interface BuilderOptions {
  /**
   * Whether a type equal to one that is there gets that one's id. Otherwise every `add` makes a type, and a
   * type of a spec is added once however often it is asked for. Default: true.
   */
  readonly deduplicate?: boolean;
  /** Whether types of a spec come with the DECL_TAGs on them and on their members. Default: true. */
  readonly declTags?: boolean;
}

/**
 * Builder puts types together and writes them as BTF.
 *
 * ```ts
 * const builder = new Builder();
 * const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
 * builder.add({ kind: 'PTR', typeId: int });
 * const task = builder.addFrom(vmlinux, vmlinux.idsByName('task_struct')[0]);
 * const bytes = builder.marshal();
 * ```
 *
 * Ids count from 1 in the order in which types are added, and stay. Types are equal when all that they say
 * is and they refer to equal types, circles included; a hand-made circle (of {@link reserve}) is only equal to
 * itself. At most 16,777,216 types and 256 MiB are taken, which is what `Spec.parse` reads by default.
 */
export class Builder {
  readonly #pool = new StringPool();
  readonly #table = new TypeTable();
  readonly #equal: EqualTypes | null;
  readonly #declTags: boolean;
  readonly #sources = new Map<Spec, ImportSource>();

  constructor({ deduplicate = true, declTags = true }: BuilderOptions = {}) {
    const table = this.#table;
    this.#equal = deduplicate
      ? { table, single: new WordIndex(table), circles: new CircleIndex(table) }
      : null;
    this.#declTags = declTags;
  }

  /** The number of types, without void; the largest id. */
  get typeCount(): number {
    return this.#table.count;
  }

  /**
   * add adds a type. Ids in it are those of this builder; void is 0. They may be of types that are added later:
   * whether they exist is checked when it is marshalled.
   *
   * @returns its id: 0 for void.
   * @throws BtfBuildError `INVALID_TYPE` for a field outside of what BTF can say, missing, or of another type, as callers
   * in plain JavaScript may have it; `LIMIT_EXCEEDED`; `UNSUPPORTED` for a kind that is not known.
   */
  add(type: NewType): TypeId {
    if (isVoid(type)) return 0;
    const words = encodeType(type, this.#table.count + 1, this.#pool);
    const known = this.#equal?.single.find(words, 0) ?? 0;
    if (known !== 0) return known;
    const id = this.#table.append(words, 0);
    this.#equal?.single.add(id);
    return id;
  }

  /**
   * reserve gives an id to use before the type is made, as circles need it. {@link define} must give the type.
   *
   * @throws BtfBuildError `LIMIT_EXCEEDED`.
   */
  reserve(): TypeId {
    return this.#table.reserve();
  }

  /**
   * define makes the type of a reserved id, even where an equal one is there.
   *
   * @throws BtfBuildError `INVALID_TYPE` where the id is not reserved or has its type; otherwise as {@link add}.
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
   * addFrom adds a type of a spec or of its bases with everything that it refers to.
   *
   * @returns its id here.
   * @throws BtfFormatError `NOT_FOUND` for an id that the spec has not; `MALFORMED`, `LIMIT_EXCEEDED` and
   * `UNSUPPORTED` for what cannot be read. With deduplication a part may have been added then.
   * @throws BtfBuildError `LIMIT_EXCEEDED`.
   */
  addFrom(spec: Spec, id: TypeId): TypeId {
    return this.addAllFrom(spec, [id])[0] ?? 0;
  }

  /**
   * addAllFrom adds types of a spec as {@link addFrom} does. Without deduplication they get their ids in the order
   * given, before what else they refer to, which comes in the order of the spec's ids: all types of a spec
   * that has no base keep their ids in a new builder.
   *
   * @returns their ids here, in the same order.
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
   * marshal writes all types as BTF that stands alone. The builder stays as it is.
   *
   * @throws BtfBuildError `INVALID_TYPE` for a reference to no type and for an id that was reserved and not
   * defined; `LIMIT_EXCEEDED`.
   * @throws BtfFormatError `INVALID_ARGUMENT` for what is no byte order.
   */
  marshal(options: MarshalOptions = {}): Uint8Array {
    return writeBtf(downgrade(this.#table, this.#pool, options), this.#pool, options);
  }

  /** toSpec marshals and parses the types, to look them up. */
  toSpec(): Spec {
    return Spec.parse(this.marshal({ wideVlen: true }));
  }

  #isReserved(id: TypeId): boolean {
    return Number.isInteger(id) && id > 0 && id <= this.#table.count && this.#table.offset(id) < 0;
  }

  #source(spec: Spec): ImportSource {
    const known = this.#sources.get(spec);
    if (known !== undefined) return known;
    const source = new ImportSource(spec, this.#pool);
    this.#sources.set(spec, source);
    return source;
  }
}

/** Whether a type is void. What is no type at all is told by `encodeType`. */
function isVoid(type: NewType): type is Extract<NewType, { kind: 'VOID' }> {
  const given: NewType | null | undefined = type;
  return given?.kind === 'VOID';
}
