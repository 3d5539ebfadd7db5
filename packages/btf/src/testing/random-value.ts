import type { Random } from 'test-tools/random';
import { resolve, unqualified } from '../query/resolve.js';
import { sizeof } from '../query/sizeof.js';
import type { Spec } from '../spec.js';
import {
  type Enum,
  type Enum64,
  type Int,
  IntEncoding,
  type Member,
  type Struct,
  type TypeId,
  type Union,
} from '../types.js';
import type { Value } from '../value/read-value.js';

/** RandomValueOptions choose the bytes of a random value. */
export interface RandomValueOptions {
  /** Whether some parts are zero. Otherwise no scalar is. */
  readonly zeroes?: boolean;
  /** Whether arrays of bytes are texts. Otherwise no byte of them is printable. Their value is null then. */
  readonly texts?: boolean;
  /** Whether enums have a value with a name where one fits. Otherwise only some do. */
  readonly names?: boolean;
}

/** RandomValue is a random value of a type, and its bytes. */
export interface RandomValue {
  readonly bytes: Uint8Array;
  /** The value, in which a union has only its first member. */
  readonly value: Value;
}

/** randomValue fills the bytes of a type with random values, bit by bit, and avoids what libbpf prints wrongly. */
export function randomValue(
  spec: Spec,
  id: TypeId,
  random: Random,
  options: RandomValueOptions = {},
): RandomValue {
  const filler = new Filler(spec, sizeof(spec, id), random, options);
  const value = filler.fill(id, 0, 0, false);
  return { bytes: filler.bytes, value };
}

/** highBytes returns bytes that are neither zero nor printable. */
export function highBytes(size: number, random: Random): Uint8Array {
  return Uint8Array.from({ length: size }, () => 128 + random(128));
}

class Filler {
  readonly bytes: Uint8Array;
  readonly #spec: Spec;
  readonly #random: Random;
  readonly #options: RandomValueOptions;

  constructor(spec: Spec, size: number, random: Random, options: RandomValueOptions) {
    this.bytes = new Uint8Array(size);
    this.#spec = spec;
    this.#random = random;
    this.#options = options;
  }

  /** fill writes a part and returns it. */
  fill(id: TypeId, at: number, width: number, isZero: boolean): Value {
    const type = resolve(this.#spec, id);
    switch (type.kind) {
      case 'INT':
        return this.#int(type, at, width === 0 ? type.size * 8 : width, width > 0, isZero);
      case 'ENUM':
      case 'ENUM64':
        return this.#enum(type, at, width === 0 ? type.size * 8 : width, isZero);
      case 'PTR':
        return this.#put(at, 64, isZero ? 0n : this.#bits(64));
      case 'FLOAT': {
        // An integer of few bits is exact in both formats.
        const value = isZero ? 0 : (this.#random(4096) + 1) / 64 - 40;
        this.#put(at, type.size * 8, floatBits(value, type.size));
        return value;
      }
      case 'ARRAY':
        return this.#array(type.typeId, type.nelems, at, isZero);
      case 'STRUCT':
      case 'UNION': {
        const found: Record<string, Value> = {};
        this.#composite(type, at, isZero, found);
        return found;
      }
      default:
        throw new Error(`a ${type.kind} has no value`);
    }
  }

  #int({ encoding, size }: Int, at: number, width: number, isBitfield: boolean, isZero: boolean): Value {
    // libbpf prints a byte as a character after the first array of bytes.
    const isByte = size === 1 && !isBitfield;
    let bits = isZero ? 0n : this.#bits(width);
    if (isByte && !isZero) bits |= 0x80n;
    this.#put(at, width, bits);
    if ((encoding & IntEncoding.BOOL) !== 0) return bits !== 0n;
    if ((encoding & IntEncoding.CHAR) !== 0 && !isBitfield) return String.fromCharCode(Number(bits));
    const value = (encoding & IntEncoding.SIGNED) !== 0 ? BigInt.asIntN(width, bits) : bits;
    return width > 32 ? value : Number(value);
  }

  #enum(type: Enum | Enum64, at: number, width: number, isZero: boolean): Value {
    const constants = type.values
      .map(({ value }) => BigInt(value))
      // libbpf has no names for large unsigned values of an ENUM.
      .filter((value) => value !== 0n && value < 2n ** 31n && fits(value, width, type.signed));
    // libbpf ends no line after a number of a signed enum.
    const isNamed = type.signed || this.#options.names === true || this.#random(2) === 0;
    const named = (isNamed ? constants[this.#random(constants.length)] : undefined) ?? this.#bits(width);
    const bits = isZero ? 0n : BigInt.asUintN(width, named);
    this.#put(at, width, bits);
    const value = type.signed ? BigInt.asIntN(width, bits) : bits;
    const name = type.values.find((one) => BigInt(one.value) === value)?.name;
    return name ?? (width > 32 ? value : Number(value));
  }

  #array(elementId: TypeId, count: number, at: number, isZero: boolean): Value {
    const element = resolve(this.#spec, elementId);
    const size = sizeof(this.#spec, elementId);
    const isText = this.#options.texts === true && element.kind === 'INT' && size === 1;
    if (isText && !isZero) {
      const length = this.#random(count) + 1;
      for (let i = 0; i < length; i++) this.#put(at + i * 8, 8, BigInt(0x20 + this.#random(0x5f)));
      return null;
    }
    if (isZero && count > 0 && this.#isChar(elementId)) return '';
    return Array.from({ length: count }, (_, i) => this.fill(elementId, at + i * size * 8, 0, isZero));
  }

  /** Whether bpftool shows an array of a type as text. */
  #isChar(id: TypeId): boolean {
    const type = unqualified(this.#spec, id);
    return type.kind === 'INT' && (type.name === 'char' || (type.encoding & IntEncoding.CHAR) !== 0);
  }

  #composite(type: Struct | Union, at: number, isZero: boolean, found: Record<string, Value>): void {
    const members = type.kind === 'UNION' ? type.members.slice(0, 1) : type.members;
    for (const [index, member] of members.entries()) {
      // libbpf leaves out a struct within another if its first member is zero.
      const mayBeZero = this.#options.zeroes === true && index > 0;
      this.#member(member, at, isZero || (mayBeZero && this.#random(3) === 0), found);
    }
  }

  #member(
    { name, typeId, bitOffset, bitfieldSize }: Member,
    at: number,
    isZero: boolean,
    found: Record<string, Value>,
  ): void {
    const type = resolve(this.#spec, typeId);
    if (name === '' && (type.kind === 'STRUCT' || type.kind === 'UNION')) {
      this.#composite(type, at + bitOffset, isZero, found);
    } else {
      found[name] = this.fill(typeId, at + bitOffset, bitfieldSize, isZero);
    }
  }

  /** Returns random bits, not all of them zero. */
  #bits(width: number): bigint {
    let bits = 0n;
    for (let i = 0; i < width; i += 16) bits = (bits << 16n) | BigInt(this.#random(0x10000));
    return BigInt.asUintN(width, bits) || 1n;
  }

  /** Writes bits as BTF counts them, and returns them. */
  #put(at: number, width: number, bits: bigint): bigint {
    for (let i = 0; i < width; i++) {
      const isLittle = this.#spec.byteOrder === 'little';
      const bit = Number((bits >> BigInt(isLittle ? i : width - 1 - i)) & 1n);
      const place = (at + i) % 8;
      const index = Math.floor((at + i) / 8);
      this.bytes[index] = (this.bytes[index] ?? 0) | (bit << (isLittle ? place : 7 - place));
    }
    return bits;
  }
}

function fits(value: bigint, width: number, signed: boolean): boolean {
  return (signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value)) === value;
}

function floatBits(value: number, size: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  if (size === 8) view.setFloat64(0, value);
  else view.setFloat32(0, value);
  return size === 8 ? view.getBigUint64(0) : BigInt(view.getUint32(0));
}
