import { BtfFormatError } from '../format-error.js';
import type { ByteOrder } from '../header.js';
import { type DatasecVar, datasecVars } from '../query/datasec-vars.js';
import { isOldBitfield } from '../query/old-bitfields.js';
import { describeType } from '../query/resolve.js';
import type { DataModel } from '../query/sizeof.js';
import type { Spec } from '../spec.js';
import {
  type Array,
  type Enum,
  type Enum64,
  type Int,
  IntEncoding,
  Kind,
  type Member,
  type Struct,
  type Type,
  type TypeId,
  type Union,
} from '../types.js';
import { floatAt, integerAt, isZeroAt } from './bits.js';
import { hasNoValue, type ValueTypes, valueTypesOf } from './value-types.js';
import { ValueWork } from './value-work.js';

/** Place is a part of a value: a type, and where it starts in the bytes. */
export interface Place {
  readonly typeId: TypeId;
  readonly bitOffset: number;
  /** Width in bits; 0 if the part is not a bitfield. */
  readonly bitfieldSize: number;
  /** Whether it is at the end of the value, where an array without elements may have some. */
  readonly isLast: boolean;
}

/** Extent compares the bytes of a value with the size of its type. */
export interface Extent {
  /** Bytes that the type has after the end of the bytes. */
  readonly missingBytes: number;
  /** Bytes after the end of the value. */
  readonly extraBytes: number;
}

/** ValueInput is the bytes of a value, with the types to read them. */
export class ValueInput {
  readonly types: ValueTypes;
  readonly work: ValueWork;
  readonly #bytes: Uint8Array;
  readonly #order: ByteOrder;
  readonly #size: number;
  /** Where the bytes of the value, or of the variable that is read, end. */
  #end: number;
  /** Where it would end if a flexible array at its end had no elements. */
  #fixedEnd: number;
  /** The end of the flexible arrays that were read. */
  #reach = 0;

  constructor(spec: Spec, id: TypeId, bytes: Uint8Array, model: DataModel) {
    this.types = valueTypesOf(spec, model);
    this.work = new ValueWork(bytes.length);
    this.#bytes = bytes;
    this.#order = spec.byteOrder;
    const type = this.types.resolve(id);
    if (type.kind === 'DECL_TAG') throw hasNoValue(type);
    this.#size = this.types.size(id);
    this.#end = bytes.length;
    this.#fixedEnd = this.#size;
  }

  /** extent compares the bytes with the type, after the value was read. */
  extent(): Extent {
    const { length } = this.#bytes;
    return {
      missingBytes: Math.max(0, this.#size - length),
      extraBytes: Math.max(0, length - Math.max(this.#size, this.#reach)),
    };
  }

  /**
   * variables returns the variables of a data section.
   *
   * @throws BtfFormatError `INVALID_ARGUMENT` if a linker has not placed them yet.
   */
  variables(id: TypeId): DatasecVar[] {
    const { spec } = this.types;
    const all = datasecVars(spec, id);
    if (all.length > 0 && this.#size === 0) {
      const message = `section ${JSON.stringify(spec.nameOf(id))} has no offsets yet: use the BTF that prepareBtf returns`;
      throw new BtfFormatError('INVALID_ARGUMENT', message, { typeId: id });
    }
    // Functions are in `.ksyms`. They have no bytes.
    return all.filter((one) => spec.kindOf(one.id) === Kind.VAR);
  }

  /** variable returns the place of a variable. Until the next call, the value ends where the variable does. */
  variable({ typeId, offset, size }: DatasecVar): Place {
    this.#fixedEnd = offset + this.types.size(typeId);
    this.#end = Math.min(this.#bytes.length, Math.max(this.#fixedEnd, offset + size));
    return placeOf(typeId, offset * 8);
  }

  /** has reports whether all bytes are there in which bits lie. */
  has(bitOffset: number, bits: number): boolean {
    return Math.ceil((bitOffset + bits) / 8) <= this.#end;
  }

  /** isAbsent reports whether a part has bytes, of which none is there. */
  isAbsent({ typeId, bitOffset, bitfieldSize }: Place): boolean {
    if (bitfieldSize > 0) return !this.has(bitOffset, bitfieldSize);
    return bitOffset / 8 >= this.#end && this.types.size(typeId) > 0;
  }

  /**
   * countOf returns the number of elements of an array. An array without elements at the end of a value has those for
   * which there are bytes after the size of the value, as a flexible array of C.
   */
  countOf(array: Array, { bitOffset, isLast }: Place): number {
    if (array.nelems > 0 || !isLast || this.#end <= this.#fixedEnd) return array.nelems;
    const each = this.types.size(array.typeId);
    const offset = bitOffset / 8;
    const count = each === 0 ? 0 : Math.max(0, Math.floor((this.#end - offset) / each));
    this.#reach = Math.max(this.#reach, offset + count * each);
    return count;
  }

  /** bitsOf returns the place of an integer or an enum in bits. */
  bitsOf(type: Int | Enum | Enum64, { bitOffset, bitfieldSize }: Place): { bitOffset: number; bits: number } {
    if (bitfieldSize > 0) return { bitOffset, bits: bitfieldSize };
    if (type.kind === 'INT' && isOldBitfield(type)) {
      return { bitOffset: bitOffset + type.bitOffset, bits: type.bits };
    }
    this.#checkStart(type, bitOffset);
    return { bitOffset, bits: type.size * 8 };
  }

  /** integer returns the value of an integer or an enum; null if its bytes are missing. */
  integer(type: Int | Enum | Enum64, place: Place): number | bigint | null {
    const { bitOffset, bits } = this.bitsOf(type, place);
    const signed = type.kind === 'INT' ? (type.encoding & IntEncoding.SIGNED) !== 0 : type.signed;
    return this.has(bitOffset, bits)
      ? integerAt(this.#bytes, this.#order, { bitOffset, bits, signed })
      : null;
  }

  /** unsigned returns the bits at a place as an integer without a sign. */
  unsigned(bitOffset: number, bits: number): bigint {
    return BigInt(integerAt(this.#bytes, this.#order, { bitOffset, bits, signed: false }));
  }

  /** isClear reports whether bits are there, and all zero. */
  isClear(bitOffset: number, bits: number): boolean {
    return this.has(bitOffset, bits) && isZeroAt(this.#bytes, this.#order, bitOffset, bits);
  }

  /** float returns a floating point number; its bytes if BTF does not say their format; null if some are missing. */
  float(size: number, { bitOffset }: Place): number | Uint8Array | null {
    const offset = bitOffset / 8;
    if (!this.has(bitOffset, size * 8)) return null;
    // Not with `slice`: for the arrays that Node reads files into, it returns a view.
    const copy = (): Uint8Array => new Uint8Array(this.#bytes.subarray(offset, offset + size));
    return floatAt(this.#bytes, this.#order, offset, size) ?? copy();
  }

  /** byte returns one byte. */
  byte(offset: number): number {
    return this.#bytes[offset] ?? 0;
  }

  /**
   * start returns the byte at which a part starts that cannot be a bitfield.
   *
   * @throws BtfFormatError `MALFORMED` if it is one, or starts within a byte.
   */
  start(type: Type, { bitOffset, bitfieldSize }: Place): number {
    if (bitfieldSize > 0) {
      const message = `a ${describeType(type)} cannot have ${bitfieldSize} bits`;
      throw new BtfFormatError('MALFORMED', message, { typeId: type.id });
    }
    this.#checkStart(type, bitOffset);
    return bitOffset / 8;
  }

  #checkStart(type: Type, bitOffset: number): void {
    if (bitOffset % 8 === 0) return;
    throw new BtfFormatError('MALFORMED', `a ${describeType(type)} starts within a byte`, {
      typeId: type.id,
    });
  }
}

/** placeOf returns the place of a value that is not part of another one. */
export function placeOf(typeId: TypeId, bitOffset = 0): Place {
  return { typeId, bitOffset, bitfieldSize: 0, isLast: true };
}

/** elementPlace returns the place of an element of an array that is at a place itself. */
export function elementPlace({ typeId }: Array, index: number, bits: number, around: Place): Place {
  return { ...around, typeId, bitOffset: around.bitOffset + index * bits, isLast: false };
}

/** memberPlace returns the place of a member of a struct or union that is at a place itself. */
export function memberPlace(type: Struct | Union, index: number, member: Member, around: Place): Place {
  return {
    typeId: member.typeId,
    bitOffset: around.bitOffset + member.bitOffset,
    bitfieldSize: member.bitfieldSize,
    isLast: around.isLast && (type.kind === 'UNION' || index === type.members.length - 1),
  };
}
