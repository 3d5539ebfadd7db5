import { BtfFormatError } from '../format-error.js';
import { isComposite } from '../kind-words.js';
import { type PointerSize, pointerSize as inferPointerSize } from '../query/pointer-size.js';
import { resolve, resolveId } from '../query/resolve.js';
import type { Spec } from '../spec.js';
import { Kind, type Struct, type TypeId, type Union } from '../types.js';
import { compositeOf, factsOf } from './layout-facts.js';
import { type MemberPlace, type Places, placesOf } from './layout-places.js';
import { roomSums } from './layout-remarks.js';
import { aligned, packedSize, type PackedMember } from './packed-size.js';

/** StructSize is the size of a struct or union, and the room that its members leave. */
export interface StructSize {
  /** Bytes. */
  readonly size: number;
  readonly memberCount: number;
  /** Number of gaps of whole bytes between members; 0 for a union. */
  readonly holes: number;
  /** Bytes in these gaps. */
  readonly holeBytes: number;
  /** Bytes after the last member. */
  readonly padding: number;
  /** Bytes that its members need in the best order; `size` if no other order saves any. */
  readonly packedSize: number;
}

/** StructSizeOptions are the options of {@link structSize}. */
export interface StructSizeOptions {
  /** Bytes of a pointer. Default: the size of the spec's `long`, otherwise 8. */
  readonly pointerSize?: PointerSize;
}

/**
 * structSize returns the size of a struct or union, its holes, and the size that it would have if its members were in the best
 * order. Modelled on `pahole --sizes` and `pahole --packable`.
 *
 * Members keep their size and their alignment. Successive bitfields stay together, a flexible array stays last, and the members of
 * anonymous types stay in these. pahole also moves bitfields into other units, and gives up alignments that an attribute asks
 * for, where this function keeps those that it infers. BTF has no trace of some attributes, nor of bitfields without a name: their
 * bits count as room, except in a struct with one member or none, which has only one order.
 *
 * @param id a STRUCT or UNION, or a typedef or qualifier of one.
 * @throws BtfLookupError `NOT_FOUND` if there is no such id.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the type is not a struct or union, or a member has no size.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 512 levels of types.
 * @throws BtfFormatError `MALFORMED` for a reference to a type that does not exist, a type that contains itself, and a
 * name outside the string section.
 * @throws BtfFormatError `UNSUPPORTED` for a member of an unknown kind.
 */
export function structSize(spec: Spec, id: TypeId, options: StructSizeOptions = {}): StructSize {
  const type = resolve(spec, id);
  if (type.kind !== 'STRUCT' && type.kind !== 'UNION') {
    throw new BtfFormatError('INVALID_ARGUMENT', `a ${type.kind} is not a struct or union`, { typeId: id });
  }
  const pointerSize = options.pointerSize ?? inferPointerSize(spec);
  const places = placesOf(spec, pointerSize, type);
  const { holes, holeBytes, holeBits, padding, paddingBits } = roomSums(places);
  const hasRoom = holeBytes + padding + holeBits + paddingBits > 0;
  return {
    size: type.size,
    memberCount: type.members.length,
    holes,
    holeBytes,
    padding,
    packedSize: type.kind === 'STRUCT' && hasRoom ? packed(spec, pointerSize, type, places) : type.size,
  };
}

function packed(spec: Spec, pointerSize: PointerSize, type: Struct, places: Places): number {
  const isFlexible = factsOf(spec, pointerSize).of(type.id).flexibleArray;
  const movable = isFlexible ? places.members.slice(0, -1) : places.members;
  const flexible = isFlexible ? places.members.at(-1) : undefined;
  const members = packedMembers(spec, pointerSize, movable);
  // There is only one order. Bitfields without a name, of which BTF has no trace, may take the room.
  if (members.length < 2) return type.size;
  const last = flexible === undefined ? 1 : alignmentOf(spec, pointerSize, flexible);
  const size = aligned(
    aligned(packedSize(members), last),
    alignmentOfStruct(spec, pointerSize, type, places),
  );
  return Math.min(type.size, size);
}

/** Returns the members, with a run of bitfields as one. */
function packedMembers(spec: Spec, pointerSize: PointerSize, places: readonly MemberPlace[]): PackedMember[] {
  const members: PackedMember[] = [];
  let run: { from: number; to: number; unit: number } | null = null;
  const endRun = (): void => {
    if (run === null) return;
    const size = Math.ceil(run.to / 8) - Math.floor(run.from / 8);
    // Aligned so, it lies in one unit if it is not longer than one.
    members.push({ size, alignment: Math.min(run.unit, powerOfTwo(size)) });
    run = null;
  };
  for (const place of places) {
    const start = place.offset * 8 + place.bitOffset;
    if (place.bitfieldSize === 0) {
      endRun();
      members.push({ size: place.size, alignment: alignmentOf(spec, pointerSize, place) });
      continue;
    }
    const end = start + place.bitfieldSize;
    const unit = alignmentOf(spec, pointerSize, place);
    run =
      run === null
        ? { from: start, to: end, unit }
        : { from: run.from, to: Math.max(run.to, end), unit: Math.max(run.unit, unit) };
  }
  endRun();
  return members;
}

/** The alignment that a member needs: that of its type, unless its place shows another one. */
function alignmentOf(spec: Spec, pointerSize: PointerSize, place: MemberPlace): number {
  const ofType = alignmentOfType(spec, pointerSize, place.typeId);
  // The type of a bitfield counts, too.
  if (place.bitfieldSize > 0) return ofType;
  return place.offset % ofType === 0 ? Math.max(ofType, place.forcedAlignment) : 1;
}

const known = { 4: new WeakMap<Spec, Map<TypeId, number>>(), 8: new WeakMap<Spec, Map<TypeId, number>>() };

/**
 * The alignment of a type, where the places of members and sizes show which structs in it are packed, or aligned by an attribute.
 * `placesOf` has refused a type that contains itself, and types that nest too deep.
 */
function alignmentOfType(spec: Spec, pointerSize: PointerSize, typeId: TypeId): number {
  let id = resolveId(spec, typeId);
  for (let depth = 0; depth < MAX_DIMENSIONS && spec.kindOf(id) === Kind.ARRAY; depth++) {
    const array = spec.typeById(id);
    if (array.kind === 'ARRAY') id = resolveId(spec, array.typeId);
  }
  const natural = factsOf(spec, pointerSize).naturalAlignment(id);
  if (!isComposite(spec.kindOf(id))) return natural;
  const ofSpec = known[pointerSize].get(spec) ?? new Map<TypeId, number>();
  known[pointerSize].set(spec, ofSpec);
  let alignment = ofSpec.get(id);
  if (alignment === undefined) {
    const type = compositeOf(spec, id);
    alignment = alignmentOfStruct(spec, pointerSize, type, placesOf(spec, pointerSize, type));
    ofSpec.set(id, alignment);
  }
  return alignment;
}

/** The alignment of a struct or union: that of its members, unless its size shows another one. */
function alignmentOfStruct(
  spec: Spec,
  pointerSize: PointerSize,
  { size }: Struct | Union,
  { members, forcedAlignment }: Places,
): number {
  let widest = 1;
  let end = 0;
  for (const place of members) {
    widest = Math.max(widest, alignmentOf(spec, pointerSize, place));
    end = Math.max(end, place.offset + bytesOf(place));
  }
  // A struct whose size is not a multiple is packed.
  const own = size % widest === 0 ? widest : 1;
  // Nothing shows the alignment of a struct without members.
  if (end === 0 || aligned(end, own) === size) return own;
  let wider = Math.max(own, forcedAlignment);
  while (aligned(end, wider) < size) wider *= 2;
  // Otherwise bitfields without a name may be the reason.
  return size % wider === 0 ? wider : own;
}

function bytesOf({ size, bitOffset, bitfieldSize }: MemberPlace): number {
  return bitfieldSize === 0 ? size : Math.ceil((bitOffset + bitfieldSize) / 8);
}

/** Maximum number of arrays of arrays. C allows more, but no kernel has them. */
const MAX_DIMENSIONS = 16;

function powerOfTwo(size: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, size)));
}
