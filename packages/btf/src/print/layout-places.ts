import type { PointerSize } from '../query/pointer-size.js';
import { oldBitfieldOf } from '../query/old-bitfields.js';
import { sizeof } from '../query/sizeof.js';
import type { Spec } from '../spec.js';
import type { Member, Struct, TypeId, Union } from '../types.js';
import { factsOf } from './layout-facts.js';

/** MemberPlace is a member with its place. */
export interface MemberPlace {
  readonly name: string;
  readonly typeId: TypeId;
  /** Bytes from the start of the type. For a bitfield, the offset of the unit of its type's size that contains it. */
  readonly offset: number;
  /** Size of its type in bytes. */
  readonly size: number;
  /** Bits from `offset`; 0 if the member is not a bitfield. */
  readonly bitOffset: number;
  /** Width in bits; 0 if the member is not a bitfield. */
  readonly bitfieldSize: number;
  /** The room before it; null if there is none. */
  readonly gap: Gap | null;
  /** Bytes to which an attribute must have aligned it; 0 if its place follows from its type. */
  readonly forcedAlignment: number;
}

/** Gap is room that no member takes. */
export interface Gap {
  /** Whole bytes from the start of the type. */
  readonly offset: number;
  readonly bits: number;
  readonly bytes: number;
}

/** Places are the places of all members of a type. Members of a union have no gaps. */
export interface Places {
  readonly members: readonly MemberPlace[];
  /** The room after the last member; null if there is none. */
  readonly padding: Gap | null;
  /** Bytes to which an attribute must have aligned the type; 0 if its size follows from its members. */
  readonly forcedAlignment: number;
}

/** Bytes of a cache line, on x86 and arm64. */
export const CACHE_LINE = 64;

/**
 * placesOf finds the places of a type's members, and infers alignments from them, by the rules of pahole 1.32.
 *
 * @throws BtfReadError as `sizeof` does for the type of a member.
 */
export function placesOf(spec: Spec, pointerSize: PointerSize, type: Struct | Union): Places {
  const facts = factsOf(spec, pointerSize);
  const gaps = type.kind === 'UNION' ? null : new Gaps(type.size);
  let end = 0;
  const members = type.members.map((member) => {
    const place = placeOf(spec, pointerSize, member);
    const alignment = facts.naturalAlignment(member.typeId);
    const forcedAlignment = forced(place.offset, end, alignment);
    const { offset, size, bitOffset, bitfieldSize } = place;
    // The room before an empty member counts as that of the next one.
    if (size > 0) end = offset + (bitfieldSize === 0 ? size : Math.ceil((bitOffset + bitfieldSize) / 8));
    return { ...place, gap: gaps?.before(place) ?? null, forcedAlignment };
  });
  return {
    members,
    padding: (gaps ?? unionGaps(type, members)).atEnd(),
    forcedAlignment: forced(type.size, end, facts.of(type.id).naturalAlignment),
  };
}

type Place = Omit<MemberPlace, 'gap' | 'forcedAlignment'>;

function placeOf(spec: Spec, pointerSize: PointerSize, member: Member): Place {
  const { name, typeId } = member;
  const size = sizeof(spec, typeId, { pointerSize });
  const { bitOffset, bitfieldSize } = bitsOf(spec, member);
  if (bitfieldSize === 0) {
    return { name, typeId, offset: Math.floor(bitOffset / 8), size, bitOffset: 0, bitfieldSize };
  }
  const unit = Math.max(1, size) * 8;
  const unitStart = Math.floor(bitOffset / unit) * unit;
  return { name, typeId, offset: unitStart / 8, size, bitOffset: bitOffset - unitStart, bitfieldSize };
}

function bitsOf(
  spec: Spec,
  { typeId, bitOffset, bitfieldSize }: Member,
): Pick<Member, 'bitOffset' | 'bitfieldSize'> {
  const old = bitfieldSize === 0 ? oldBitfieldOf(spec, typeId) : null;
  if (old === null) return { bitOffset, bitfieldSize };
  return { bitOffset: bitOffset + old.bitOffset, bitfieldSize: old.bits };
}

/** Infers the alignment of something at an offset, from the end of what is before it. */
function forced(offset: number, end: number, naturalAlignment: number): number {
  const room = offset - end;
  if (room <= 0 || offset % 2 !== 0) return 0;
  // The power of two above the room: a lower alignment would have left less.
  const alignment = 2 ** (Math.floor(Math.log2(room)) + 1);
  if (alignment <= naturalAlignment) return 0;
  return alignment < CACHE_LINE && offset % CACHE_LINE === 0 ? CACHE_LINE : alignment;
}

/** Returns the gaps of a union: only the room after its largest member. */
function unionGaps({ size }: Union | Struct, members: readonly Place[]): Gaps {
  const gaps = new Gaps(size);
  for (const place of members.toSorted((a, b) => endOf(a) - endOf(b))) gaps.before(place);
  return gaps;
}

/** Gaps finds the gaps between members, which it is given one by one. */
class Gaps {
  readonly #size: number;
  /** The end of the members so far, in bits. */
  #end = 0;
  /** The end of the unit that contains the last bitfields, in bits, and its size. */
  #unitEnd: number;
  #unit = 0;
  #inBitfield = false;

  /** @param size of the type, in bytes. */
  constructor(size: number) {
    this.#size = size;
    this.#unitEnd = size * 8;
  }

  /** Returns the gap before a member; null if there is none. Bits up to the end of a unit come first. */
  before(place: Place): Gap | null {
    const start = startOf(place);
    const offset = Math.floor(this.#end / 8);
    let bits = this.#restOfUnit(start);
    let bytes = 0;
    if (place.bitfieldSize > 0) {
      const unitStart = place.offset * 8;
      // Whole bytes up to the unit, and bits in it before the bitfield.
      if (this.#end < unitStart && unitStart <= start) {
        bytes = place.offset - Math.floor(this.#end / 8);
        this.#end = unitStart;
      }
      bits += Math.max(0, start - this.#end);
    } else {
      bytes = Math.max(0, Math.floor(start / 8) - Math.floor(this.#end / 8));
    }
    this.#pass(place);
    return bits === 0 && bytes === 0 ? null : { offset, bits, bytes };
  }

  /** Returns the gap after the last member; null if there is none. */
  atEnd(): Gap | null {
    const offset = Math.floor(this.#end / 8);
    const bits = this.#restOfUnit(this.#size * 8);
    const bytes = Math.max(0, this.#size - Math.floor(this.#end / 8));
    return bits === 0 && bytes === 0 ? null : { offset, bits, bytes };
  }

  /** Returns the bits that are left in the unit of the last bitfield, up to `before`, and passes them. */
  #restOfUnit(before: number): number {
    if (!this.#inBitfield) return 0;
    const end = Math.min(before, this.#unitEnd);
    const bits = Math.max(0, end - this.#end);
    this.#end += bits;
    return bits;
  }

  #pass(place: Place): void {
    const end = endOf(place);
    this.#end = Math.max(this.#end, end);
    this.#inBitfield = place.bitfieldSize > 0;
    if (!this.#inBitfield) {
      this.#unit = 0;
      this.#unitEnd = end;
      return;
    }
    const unit = place.size * 8;
    if (end <= this.#unitEnd && unit <= this.#unit) return;
    this.#unit = unit;
    this.#unitEnd = place.offset * 8 + unit;
    // A bitfield that starts in one unit may end in the next.
    if (end > this.#unitEnd) this.#unitEnd += unit;
  }
}

function startOf({ offset, bitOffset }: Place): number {
  return offset * 8 + bitOffset;
}

function endOf(place: Place): number {
  return startOf(place) + (place.bitfieldSize === 0 ? place.size * 8 : place.bitfieldSize);
}
