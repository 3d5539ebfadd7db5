import type { DataModel } from '../query/sizeof.js';
import type { Spec } from '../spec.js';
import {
  type Array,
  type Enum,
  type Enum64,
  type Int,
  IntEncoding,
  type Struct,
  type TypeId,
  type Union,
} from '../types.js';
import { isPrintable } from './bits.js';
import { elementPlace, type Extent, memberPlace, type Place, placeOf, ValueInput } from './value-input.js';
import { hasNoValue, isChar } from './value-types.js';

/**
 * Value is a value of C in JavaScript:
 *
 * - integers of at most 32 bits are numbers, and wider ones bigints, also as bitfields; pointers are bigints;
 * - booleans are booleans;
 * - enums are the name of their value, or an integer if no constant has the value;
 * - arrays of `char` that end in NUL and are printable before it are strings, as in bpftool; other arrays are arrays;
 *   characters (the encoding CHAR) are strings of one character;
 * - floating point numbers of 2, 4 and 8 bytes are numbers. Others are their bytes, because BTF does not say their
 *   format;
 * - structs and unions are objects. A union has all its members, and the members of an anonymous struct or union are
 *   those of the type around it;
 * - null is a part whose bytes are missing. An array ends at the end of the bytes.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [member: string]: Value };

/** ReadValueOptions are the options of {@link readValue}. */
export interface ReadValueOptions extends DataModel {
  /** Whether enums are integers. Default: false, names. */
  readonly enumNumbers?: boolean;
}

/** ReadValue is the result of {@link readValue}. */
export interface ReadValue extends Extent {
  readonly value: Value;
}

/**
 * readValue reads bytes, for example of a map, a ring buffer or memory, as a value of a type. It returns the value, and how
 * many bytes are missing or more than the type has. The bytes have the byte order of the BTF.
 *
 * A variable is read as its type, and a data section as an object of its variables. If two variables or members have one
 * name, the second is `name___2`. An array without elements at the end of a type (a flexible array) has the elements for
 * which there are bytes after the size of the type.
 *
 * Modelled on bpftool's `map dump --json`, which shows bitfields, 128-bit integers and pointers in other ways, and fails
 * for floating point numbers.
 *
 * @throws BtfLookupError `NOT_FOUND` if there is no such id.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the type, or a part of it, has no value: void, a function, a forward
 * declaration, a tag. Also for a data section in which a linker has not placed the variables yet.
 * @throws BtfFormatError `UNSUPPORTED` if the type, or a part of it, has an unknown kind.
 * @throws BtfFormatError `MALFORMED` if the type cannot be read, for example because it refers to itself in a loop.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for a value of more than 262,144 parts and 8 for each byte, below 512 levels,
 * and as `sizeof` does.
 */
export function readValue(
  spec: Spec,
  id: TypeId,
  bytes: Uint8Array,
  options: ReadValueOptions = {},
): ReadValue {
  const input = new ValueInput(spec, id, bytes, options);
  const value = new ValueReader(input, options.enumNumbers ?? false).read(id);
  return { value, ...input.extent() };
}

class ValueReader {
  readonly #input: ValueInput;
  readonly #enumNumbers: boolean;

  constructor(input: ValueInput, enumNumbers: boolean) {
    this.#input = input;
    this.#enumNumbers = enumNumbers;
  }

  read(id: TypeId): Value {
    const type = this.#input.types.resolve(id);
    if (type.kind === 'DATASEC') return this.#section(type.id);
    return this.#part(placeOf(type.kind === 'VAR' ? type.typeId : type.id));
  }

  #section(id: TypeId): Value {
    const found = new Map<string, Value>();
    for (const variable of this.#input.variables(id)) {
      this.#add(found, variable.name, this.#part(this.#input.variable(variable)));
    }
    return Object.fromEntries(found);
  }

  #part(place: Place): Value {
    const type = this.#input.types.resolve(place.typeId);
    this.#input.work.step();
    switch (type.kind) {
      case 'INT':
        return this.#int(type, place);
      case 'ENUM':
      case 'ENUM64':
        return this.#enum(type, place);
      case 'PTR':
        this.#input.start(type, place);
        return this.#pointer(place);
      case 'FLOAT':
        this.#input.start(type, place);
        return this.#input.float(type.size, place);
      case 'ARRAY':
        this.#input.start(type, place);
        return this.#input.isAbsent(place) ? null : this.#array(type, place);
      case 'STRUCT':
      case 'UNION':
        this.#input.start(type, place);
        return this.#input.isAbsent(place) ? null : this.#composite(type, place);
      default:
        throw hasNoValue(type);
    }
  }

  #int(type: Int, place: Place): Value {
    const value = this.#input.integer(type, place);
    if (value === null) return null;
    if ((type.encoding & IntEncoding.BOOL) !== 0) return BigInt(value) !== 0n;
    const isWhole = place.bitfieldSize === 0 && typeof value === 'number';
    return isWhole && isChar(type) ? String.fromCharCode(value & 0xff) : value;
  }

  #enum(type: Enum | Enum64, place: Place): Value {
    const value = this.#input.integer(type, place);
    if (value === null || this.#enumNumbers) return value;
    return this.#input.types.nameOfValue(type, value) ?? value;
  }

  #pointer(place: Place): Value {
    const bits = this.#input.types.pointerSize * 8;
    return this.#input.has(place.bitOffset, bits) ? this.#input.unsigned(place.bitOffset, bits) : null;
  }

  #array(type: Array, place: Place): Value {
    const { types, work } = this.#input;
    const count = this.#input.countOf(type, place);
    const offset = place.bitOffset / 8;
    const text = types.isText(type.typeId) ? this.#text(offset, count) : null;
    if (text !== null) return text;
    const elements: Value[] = [];
    const bits = types.size(type.typeId) * 8;
    work.enter();
    for (let i = 0; i < count; i++) {
      const element = elementPlace(type, i, bits, place);
      if (this.#input.isAbsent(element)) break;
      elements.push(this.#part(element));
    }
    work.leave();
    return elements;
  }

  /** Returns the text in an array of characters; null if it does not end, or has characters that are not printable. */
  #text(offset: number, count: number): string | null {
    let text = '';
    for (let i = 0; i < count && this.#input.has((offset + i) * 8, 8); i++) {
      const byte = this.#input.byte(offset + i);
      this.#input.work.step();
      if (byte === 0) return text;
      if (!isPrintable(byte)) return null;
      text += String.fromCharCode(byte);
    }
    return null;
  }

  #composite(type: Struct | Union, place: Place): Value {
    const found = new Map<string, Value>();
    this.#addMembers(type, place, found);
    return Object.fromEntries(found);
  }

  #addMembers(type: Struct | Union, place: Place, found: Map<string, Value>): void {
    const { types, work } = this.#input;
    work.enter();
    for (const [index, member] of type.members.entries()) {
      const at = memberPlace(type, index, member, place);
      const inner = types.resolve(member.typeId);
      work.step();
      if (member.name !== '') {
        this.#add(found, member.name, this.#part(at));
      } else if (inner.kind === 'STRUCT' || inner.kind === 'UNION') {
        this.#input.start(inner, at);
        this.#addMembers(inner, at, found);
      }
      // Other members without a name are padding.
    }
    work.leave();
  }

  /** Adds a part under its name, or under one with a number: two static variables may have one name. */
  #add(found: Map<string, Value>, name: string, value: Value): void {
    let free = name;
    for (let number = 2; found.has(free); number++) {
      free = `${name}___${number}`;
      this.#input.work.step();
    }
    found.set(free, value);
  }
}
