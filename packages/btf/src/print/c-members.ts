import { isComposite } from '../kind-words.js';
import { isOldBitfield } from '../query/old-bitfields.js';
import { standsForOther } from '../query/resolve.js';
import { type Int, Kind, type TypeId } from '../types.js';
import type { CBaseTypes } from './c-base-types.js';
import type { CSizes } from './c-sizes.js';
import { MEMBER_WORDS, type TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/**
 * CMemberForm says how C states a member:
 *
 * - `declared`: by its declaration;
 * - `inline`: as an anonymous struct with the same members, because the struct has a name but the member has none. The
 *   source used `-fms-extensions`;
 * - `bytes`: as an array of bytes, because C has no object of its type, for example of a declared struct;
 * - `omitted`: not at all, because it has no name and no members;
 * - `impossible`: not at all. Then C cannot state its struct either.
 */
export type CMemberForm = 'declared' | 'inline' | 'bytes' | 'omitted' | 'impossible';

/** CMember is a member of a struct or union, in bits. */
export interface CMember {
  readonly name: number;
  readonly typeId: TypeId;
  /** The type without typedefs and qualifiers. */
  readonly bareId: TypeId;
  readonly offset: number;
  /** The width of a bitfield; 0 for other members. */
  readonly width: number;
  /** The size of a member that is not a bitfield. */
  readonly size: number;
  readonly form: CMemberForm;
}

type OldBits = Pick<Int, 'bits' | 'bitOffset'>;

const NOT_OLD: OldBits = { bits: 0, bitOffset: 0 };

/** CMembers reads the members of structs and unions. */
export class CMembers {
  readonly #types: TypeWords;
  readonly #sizes: CSizes;
  readonly #work: WorkLimit;
  readonly #baseTypes: CBaseTypes;
  readonly #hasEnum: (id: TypeId) => boolean;

  /** @param hasEnum whether C can state an object of an enum's size. */
  constructor(sizes: CSizes, baseTypes: CBaseTypes, hasEnum: (id: TypeId) => boolean) {
    this.#types = sizes.types;
    this.#sizes = sizes;
    this.#work = sizes.work;
    this.#baseTypes = baseTypes;
    this.#hasEnum = hasEnum;
  }

  /** of returns the members of a STRUCT or UNION. */
  of(id: TypeId): CMember[] {
    const types = this.#types;
    const packsBitfields = types.kindFlag(id);
    const members: CMember[] = [];
    const first = types.elements(id);
    for (let at = first; at < first + types.vlen(id) * MEMBER_WORDS; at += MEMBER_WORDS) {
      members.push(this.#read(at, packsBitfields));
    }
    return members;
  }

  #read(at: number, packsBitfields: boolean): CMember {
    const types = this.#types;
    const name = types.unsignedAt(at);
    const typeId = this.#withoutVaList(types.unsignedAt(at + 1));
    const word = types.unsignedAt(at + 2);
    const bareId = this.#bare(typeId);
    const old = packsBitfields ? NOT_OLD : this.#oldBits(bareId);
    const width = packsBitfields ? word >>> 24 : old.bits;
    const offset = packsBitfields ? word & 0xffffff : word + old.bitOffset;
    const size = width === 0 ? this.#sizes.sizeof(typeId) * 8 : 0;
    const form = width === 0 ? this.#form(name, typeId, bareId) : this.#bitfieldForm(name, bareId, width);
    return { name, typeId, bareId, offset, width, size, form };
  }

  /** Returns the bits of a member that is an old bitfield because of its type. An INT may state more bits than it has. */
  #oldBits(id: TypeId): OldBits {
    const types = this.#types;
    if (types.kind(id) !== Kind.INT) return NOT_OLD;
    const word = types.at(types.elements(id));
    const int = { size: types.third(id), bits: word & 0xff, bitOffset: (word >>> 16) & 0xff };
    return isOldBitfield(int) && int.bits <= int.size * 8 ? int : NOT_OLD;
  }

  #form(name: number, typeId: TypeId, bareId: TypeId): CMemberForm {
    const types = this.#types;
    if (name === 0) {
      if (!isComposite(types.kind(bareId))) return 'omitted';
      const isAnonymous = types.name(bareId) === 0 && this.#isDirect(typeId);
      return isAnonymous ? 'declared' : 'inline';
    }
    return this.#hasObjects(bareId) ? 'declared' : 'bytes';
  }

  #bitfieldForm(name: number, id: TypeId, width: number): CMemberForm {
    const types = this.#types;
    const kind = types.kind(id);
    const isBool = kind === Kind.INT && (types.at(types.elements(id)) & (4 << 24)) !== 0;
    const isScalar =
      (kind === Kind.INT && this.#baseTypes.of(id).isScalar) ||
      ((kind === Kind.ENUM || kind === Kind.ENUM64) && this.#hasEnum(id));
    if (!isScalar || width > (isBool ? 1 : types.third(id) * 8)) return 'impossible';
    return name === 0 ? 'omitted' : 'declared';
  }

  /** Whether C has objects of a type without typedefs and qualifiers, with the size in the BTF. */
  #hasObjects(id: TypeId): boolean {
    const types = this.#types;
    for (let at = id; ; this.#work.step(at)) {
      switch (types.kind(at)) {
        case Kind.INT:
        case Kind.FLOAT:
        case Kind.PTR:
        case Kind.STRUCT:
        case Kind.UNION:
          return true;
        case Kind.ENUM:
        case Kind.ENUM64:
          return this.#hasEnum(at);
        case Kind.ARRAY:
          at = types.elementType(at);
          if (at !== this.#withoutVaList(at)) return false;
          at = this.#bare(at);
          break;
        default:
          return false;
      }
    }
  }

  /** Returns the type that the kernel's compiler has for `va_list`, if a type is a typedef of that; otherwise the type. */
  #withoutVaList(id: TypeId): TypeId {
    const types = this.#types;
    for (let at = id; standsForOther(types.kind(at)); this.#work.step(at)) {
      const target = types.third(at);
      if (types.kind(at) === Kind.TYPEDEF && this.#baseTypes.isVaList(at)) return target;
      at = target;
    }
    return id;
  }

  #bare(id: TypeId): TypeId {
    const types = this.#types;
    let at = id;
    for (; standsForOther(types.kind(at)); this.#work.step(at)) at = types.third(at);
    return at;
  }

  /** Whether only qualifiers, and no typedef, lead from a type to a struct or union. */
  #isDirect(id: TypeId): boolean {
    const types = this.#types;
    let at = id;
    for (; standsForOther(types.kind(at)); at = types.third(at)) {
      if (types.kind(at) === Kind.TYPEDEF) return false;
    }
    return true;
  }
}
