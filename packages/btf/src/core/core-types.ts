import type { TypeSource } from '../decode/type-source.js';
import { BtfFormatError } from '../format-error.js';
import { pointerSize, type PointerSize } from '../query/pointer-size.js';
import { Chain, followed } from '../query/follow.js';
import { standsForOther } from '../query/resolve.js';
import { sizeof } from '../query/sizeof.js';
import { type Spec, typesOf } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import { kindFlagOfInfo, kindOfInfo, vlenOfInfo } from '../words.js';
import { type CoreWork, refusal } from './refusal.js';

/** The words of a type before its elements, and the words of an element, in bytes. */
const HEAD = 12;
const ENUM_VALUE = 8;
const ENUM64_VALUE = 12;
const MEMBER = 12;
const PARAMETER = 8;

const MAX_U32 = 0xffff_ffff;

/** The steps that finding a size counts as. */
const SIZE_STEPS = 256;

const encoder = /* @__PURE__ */ new TextEncoder();

/** Part is a spec in a chain of bases. */
interface Part {
  readonly first: TypeId;
  readonly source: TypeSource;
  readonly offsets: Uint32Array;
}

/**
 * CoreTypes reads types of a spec word by word, as the matching of CO-RE needs them: a struct with a thousand members is
 * searched for one name, so it is not decoded.
 *
 * Methods about a kind of types must only be called for types of that kind.
 */
export class CoreTypes {
  readonly spec: Spec;
  /** The name of the object that has the types: `vmlinux`, or that of a module. */
  readonly object: string;
  readonly #work: CoreWork;
  readonly #pointerSize: PointerSize;
  readonly #parts: readonly Part[];
  readonly #sizes = new Map<TypeId, number>();

  /** @param pointer bytes of a pointer. Default: as the spec says. */
  constructor(spec: Spec, object: string, work: CoreWork, pointer: PointerSize = pointerSize(spec)) {
    this.spec = spec;
    this.object = object;
    this.#work = work;
    this.#pointerSize = pointer;
    const parts: Part[] = [];
    for (let own: Spec | null = spec; own !== null; own = own.base) {
      parts.push({ first: own.firstTypeId, ...typesOf(own) });
    }
    this.#parts = parts;
  }

  /** @throws a refusal if a type of the BTF refers to one that does not exist. */
  kindOf(id: TypeId): number {
    return kindOfInfo(this.#info(id));
  }

  flagOf(id: TypeId): boolean {
    return kindFlagOfInfo(this.#info(id));
  }

  /** The number of members, values or parameters. */
  countOf(id: TypeId): number {
    return vlenOfInfo(this.#info(id));
  }

  /** The third word: the size of a type that states it, otherwise what it refers to. */
  thirdOf(id: TypeId): number {
    const { source, at } = this.#place(id);
    return source.words.u32(at + 8);
  }

  /** Follows typedefs, qualifiers and type tags. */
  skip(id: TypeId): TypeId {
    const chain = new Chain(id);
    let at = id;
    for (;;) {
      // Each link counts: a small BTF can have an access go through thousands of them.
      this.#work.step();
      if (!standsForOther(this.kindOf(at))) return at;
      at = followed(this.spec, at, this.thirdOf(at));
      chain.pass(at);
    }
  }

  /** The size as libbpf has it, which fits 32 bits. @throws a refusal if the type has none. */
  sizeOf(id: TypeId): number {
    const known = this.#sizes.get(id);
    if (known !== undefined) return known;
    // Arrays of arrays may be a chain of a thousand types.
    this.#work.step(SIZE_STEPS);
    const size = sizeof(this.spec, id, { pointerSize: this.#pointerSize });
    if (size > MAX_U32) throw refusal(`type id ${id} has 4 GiB or more`);
    this.#sizes.set(id, size);
    return size;
  }

  nameOf(id: TypeId): string {
    return this.spec.nameOf(id);
  }

  /** The words of an INT: its encoding, and the offset of an old bitfield. */
  intOf(id: TypeId): { readonly encoding: number; readonly bitOffset: number } {
    const { source, at } = this.#place(id);
    const word = source.words.u32(at + HEAD);
    return { encoding: (word >>> 24) & 0xf, bitOffset: (word >>> 16) & 0xff };
  }

  arrayOf(id: TypeId): { readonly typeId: TypeId; readonly indexTypeId: TypeId; readonly nelems: number } {
    const { source, at } = this.#place(id);
    const { words } = source;
    return { typeId: words.u32(at + 12), indexTypeId: words.u32(at + 16), nelems: words.u32(at + 20) };
  }

  /** The type, the offset and the width of a member of a struct or union. */
  memberOf(
    id: TypeId,
    index: number,
  ): { readonly typeId: TypeId; readonly bitOffset: number; readonly bitfieldSize: number } {
    const { source, at } = this.#place(id);
    const member = at + HEAD + index * MEMBER;
    const offset = source.words.u32(member + 8);
    const packed = this.flagOf(id);
    return {
      typeId: source.words.u32(member + 4),
      bitOffset: packed ? offset & 0xff_ffff : offset,
      bitfieldSize: packed ? offset >>> 24 : 0,
    };
  }

  parameterTypeOf(id: TypeId, index: number): TypeId {
    const { source, at } = this.#place(id);
    return source.words.u32(at + HEAD + index * PARAMETER + 4);
  }

  /** The value of an ENUM or ENUM64 as libbpf reads it: 32 bits are signed. */
  valueOf(id: TypeId, index: number): bigint {
    const { source, at } = this.#place(id);
    if (this.kindOf(id) === Kind.ENUM) return BigInt(source.words.i32(at + HEAD + index * ENUM_VALUE + 4));
    const value = at + HEAD + index * ENUM64_VALUE + 4;
    return BigInt(source.words.u32(value)) | (BigInt(source.words.i32(value + 4)) << 32n);
  }

  /** The name of a member or a value. @throws BtfReadError as `Spec.typeById` does for names. */
  elementName(id: TypeId, index: number): string {
    const { source, at } = this.#place(id);
    return source.name(this.#element(id, at, index), id);
  }

  /** Whether a member or a value has no name. */
  isUnnamed(id: TypeId, index: number): boolean {
    const { source, at } = this.#place(id);
    const offset = source.words.u32(this.#element(id, at, index));
    return offset === 0 || source.strings.byteAt(offset) === 0;
  }

  /**
   * Finds the next member or value whose name begins as a name does. Names are compared, not decoded: this loop is most of
   * the work of matching.
   *
   * @returns -1 if there is none.
   */
  nextBeginning(id: TypeId, from: number, name: Uint8Array): number {
    const { source, at } = this.#place(id);
    const { words, strings } = source;
    const step = this.kindOf(id) === Kind.ENUM ? ENUM_VALUE : MEMBER;
    const count = this.countOf(id);
    const first = name[0];
    for (let index = from; index < count; index++) {
      const offset = words.u32(at + HEAD + index * step);
      if (first !== undefined && strings.byteAt(offset) !== first) continue;
      let i = 1;
      while (i < name.length && strings.byteAt(offset + i) === name[i]) i++;
      if (i >= name.length) return index;
    }
    return -1;
  }

  /**
   * Finds the next member or value that has a name, or none.
   *
   * @returns -1 if there is none.
   */
  nextNamed(id: TypeId, from: number, name: Uint8Array): number {
    const { source, at } = this.#place(id);
    const { words, strings } = source;
    const step = this.kindOf(id) === Kind.ENUM ? ENUM_VALUE : MEMBER;
    const count = this.countOf(id);
    for (let index = from; index < count; index++) {
      const offset = words.u32(at + HEAD + index * step);
      if (strings.byteAt(offset) === 0) return index;
      if (strings.mayEqual(offset, name) && strings.equals(offset, name)) return index;
    }
    return -1;
  }

  #element(id: TypeId, at: number, index: number): number {
    return at + HEAD + index * (this.kindOf(id) === Kind.ENUM ? ENUM_VALUE : MEMBER);
  }

  #info(id: TypeId): number {
    if (id === 0) return 0;
    const { source, at } = this.#place(id);
    return source.words.u32(at + 4);
  }

  #place(id: TypeId): { readonly source: TypeSource; readonly at: number } {
    for (const { first, source, offsets } of this.#parts) {
      const at = id < first ? undefined : offsets[id - first];
      if (at !== undefined) return { source, at };
      if (id >= first) break;
    }
    throw new BtfFormatError('MALFORMED', `reference to type id ${id}, which does not exist`);
  }
}

/** nameBytes returns a name as {@link CoreTypes.nextNamed} compares it. */
export function nameBytes(name: string): Uint8Array {
  return encoder.encode(name);
}

/** isEnum reports whether a kind is ENUM or ENUM64. */
export function isEnum(kind: number): boolean {
  return kind === Kind.ENUM || kind === Kind.ENUM64;
}

/** isSameKind reports whether two kinds are one for CO-RE: ENUM and ENUM64 are. */
export function isSameKind(a: number, b: number): boolean {
  return a === b || (isEnum(a) && isEnum(b));
}
