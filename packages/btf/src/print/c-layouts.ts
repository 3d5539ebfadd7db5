import type { PointerSize } from '../query/pointer-size.js';
import { Kind, type TypeId } from '../types.js';
import type { CBaseTypes } from './c-base-types.js';
import { enumAttribute } from './c-enum.js';
import { type CMember, CMembers } from './c-members.js';
import type { CPadding } from './c-padding.js';
import { CRecord, type PadSink } from './c-record.js';
import type { CSizes } from './c-sizes.js';
import type { TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/** CMemberSink takes the members of a struct or union, and the padding between them. */
export interface CMemberSink extends PadSink {
  /** member takes a member, and returns whether the walk continues. */
  member(member: CMember): boolean;
}

/** CForm says how C states a struct or union. */
export interface CForm {
  /**
   * `libbpf`: with the padding and the `packed` of libbpf; `exact`: packed, with each gap filled; `bytes`: as an array of
   * bytes, because C cannot place the members where they are.
   */
  readonly style: 'libbpf' | 'exact' | 'bytes';
  readonly packed: boolean;
  /** The alignment to state, in bytes; 1 if none is needed. */
  readonly aligned: number;
  /** The alignment in C, in bytes. */
  readonly alignment: number;
}

type CAttempt = Omit<CForm, 'alignment'>;

const PLAIN: CAttempt = { style: 'libbpf', packed: false, aligned: 1 };
const PACKED: CAttempt = { style: 'libbpf', packed: true, aligned: 1 };
const PADDED_UNION: CAttempt = { style: 'exact', packed: false, aligned: 1 };

/**
 * CLayouts decides how C states each struct and union so that its size and all offsets are those of the BTF. It prefers
 * the text of libbpf. If a compiler would give that text another layout, it chooses another one.
 */
export class CLayouts {
  readonly #types: TypeWords;
  readonly #sizes: CSizes;
  readonly #work: WorkLimit;
  readonly #pointerSize: PointerSize;
  readonly #padding: CPadding;
  readonly #baseTypes: CBaseTypes;
  readonly #members: CMembers;
  readonly #forms = new Map<TypeId, CForm>();
  readonly #attributes = new Map<TypeId, string | null>();
  /** The type whose members were read last. To keep those of all types would take most of the time of a print. */
  #lastId: TypeId = 0;
  #lastMembers: readonly CMember[] = [];

  constructor(sizes: CSizes, padding: CPadding, baseTypes: CBaseTypes) {
    this.#types = sizes.types;
    this.#sizes = sizes;
    this.#work = sizes.work;
    this.#pointerSize = sizes.pointerSize;
    this.#padding = padding;
    this.#baseTypes = baseTypes;
    this.#members = new CMembers(sizes, baseTypes, (id) => this.#hasEnum(id));
  }

  /** of returns the form of a STRUCT or UNION. */
  of(id: TypeId): CForm {
    let form = this.#forms.get(id);
    if (form === undefined) {
      this.#work.enter(id);
      form = this.#decide(id);
      this.#work.leave();
      this.#forms.set(id, form);
    }
    return form;
  }

  /** membersOf returns the members that C states: none if the struct or union is bytes. */
  membersOf(id: TypeId): readonly CMember[] {
    return this.of(id).style === 'bytes' ? [] : this.#read(id);
  }

  /** enumAttribute is {@link enumAttribute} of an ENUM or ENUM64. */
  enumAttribute(id: TypeId): string | null {
    let attribute = this.#attributes.get(id);
    if (attribute === undefined) {
      attribute = enumAttribute(this.#types, id, this.#pointerSize);
      this.#attributes.set(id, attribute);
    }
    return attribute;
  }

  /**
   * integerOf returns the integer to use for objects of an enum that C cannot define; null if C can define it, or has no
   * such integer.
   */
  integerOf(id: TypeId): string | null {
    if (this.enumAttribute(id) !== null) return null;
    const size = this.#types.third(id);
    return size > 8 ? null : this.#baseTypes.integer(size, this.#types.kindFlag(id));
  }

  /** walk passes the members of a struct or union in a form to a sink, with the padding before each and at the end. */
  walk(id: TypeId, { style, packed }: Pick<CForm, 'style' | 'packed'>, sink: CMemberSink): void {
    const isStruct = this.#types.kind(id) === Kind.STRUCT;
    let from = 0;
    let afterBitfield = false;
    for (const member of this.#read(id)) {
      // Not each member is text, and a struct may be a part of many.
      this.#work.step(id);
      const { form, offset, typeId, width, size } = member;
      if (form === 'omitted') continue;
      if (style === 'exact') {
        if (isStruct && offset > from) this.#padding.fillExactly(offset - from, sink);
      } else if (isStruct && offset > from) {
        const alignment = packed ? 1 : this.#sizes.alignof(typeId);
        this.#padding.fillGap({ from, to: offset, alignment, inBitfield: afterBitfield && width > 0 }, sink);
      }
      if (!sink.member(member)) return;
      from = offset + (width === 0 ? size : width);
      afterBitfield = width > 0;
    }
    const to = this.#types.third(id) * 8;
    if (style === 'exact') {
      if (isStruct && to > from) this.#padding.fillExactly(to - from, sink);
    } else if (isStruct) {
      this.#padding.fillGap({ from, to, alignment: this.#sizes.alignof(id), inBitfield: false }, sink);
    }
  }

  #hasEnum(id: TypeId): boolean {
    return this.enumAttribute(id) !== null || this.integerOf(id) !== null;
  }

  #read(id: TypeId): readonly CMember[] {
    if (id !== this.#lastId) {
      this.#lastMembers = this.#members.of(id);
      this.#lastId = id;
    }
    return this.#lastMembers;
  }

  #decide(id: TypeId): CForm {
    const inferred = this.#sizes.alignof(id);
    // An integer of three bytes has no alignment in C.
    const aligned = Number.isInteger(Math.log2(inferred)) ? inferred : 1;
    const isPossible = this.#read(id).every(({ form }) => form !== 'impossible');
    for (const attempt of isPossible ? this.#attempts(id, aligned) : []) {
      const alignment = this.#alignmentIn(id, attempt);
      if (alignment !== null) return { ...attempt, alignment };
    }
    return { style: 'bytes', packed: false, aligned, alignment: aligned };
  }

  #attempts(id: TypeId, aligned: number): readonly CAttempt[] {
    const exact: CAttempt = { style: 'exact', packed: true, aligned };
    if (this.#types.kind(id) === Kind.UNION) return [PLAIN, PADDED_UNION, exact];
    return [this.#sizes.isPacked(id) ? PACKED : PLAIN, exact];
  }

  /** Returns the alignment in a form, if a compiler then gives the size and the offsets of the BTF; otherwise null. */
  #alignmentIn(id: TypeId, form: CAttempt): number | null {
    const isUnion = this.#types.kind(id) === Kind.UNION;
    const record = new CRecord(isUnion, form.packed, form.aligned);
    let isRight = true;
    this.walk(id, form, {
      pad: (type, typeBits, width, count) => record.pad(type, typeBits, width, count),
      member: (member) => {
        isRight = this.#place(record, member) === member.offset;
        return isRight;
      },
    });
    const size = this.#types.third(id);
    // A union is padded with a packed struct.
    const end = isUnion && form.style === 'exact' ? Math.max(record.size, size) : record.size;
    return isRight && end === size && end % record.alignment === 0 ? record.alignment : null;
  }

  #place(record: CRecord, { typeId, bareId, width, size, form }: CMember): number {
    if (form === 'bytes') return record.member(size / 8, 1);
    const alignment = this.#alignof(typeId);
    if (width === 0) return record.member(size / 8, alignment);
    return record.bitfield(width, this.#types.third(bareId) * 8, alignment);
  }

  /** Returns the alignment of a type in C, in bytes. */
  #alignof(id: TypeId): number {
    const types = this.#types;
    const at = this.#sizes.aligningType(id);
    switch (types.kind(at)) {
      case Kind.INT:
      case Kind.FLOAT:
        return this.#baseTypes.of(at).alignment;
      case Kind.ENUM:
      case Kind.ENUM64:
        return Math.max(1, Math.min(types.third(at), this.#pointerSize));
      case Kind.STRUCT:
      case Kind.UNION:
        return this.of(at).alignment;
      case Kind.PTR:
        return this.#pointerSize;
      default:
        return 1;
    }
  }
}
