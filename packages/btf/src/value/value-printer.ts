import type { DatasecVar } from '../query/datasec-vars.js';
import { isOldBitfield } from '../query/old-bitfields.js';
import type { Spec } from '../spec.js';
import {
  type Array,
  type Enum,
  type Enum64,
  type Float,
  type Int,
  IntEncoding,
  type Struct,
  type TypeId,
  type Union,
  VarLinkage,
} from '../types.js';
import { isPrintable } from './bits.js';
import { CastText } from './cast-text.js';
import { fixedText, hexText } from './number-text.js';
import { elementPlace, memberPlace, type Place, placeOf, type ValueInput } from './value-input.js';
import { ValueText } from './value-text.js';
import { hasNoValue } from './value-types.js';
import { ZeroTest } from './zero-test.js';

/** PrinterOptions are the options of a {@link ValuePrinter}, all of them set. */
export interface PrinterOptions {
  readonly compact: boolean;
  readonly skipNames: boolean;
  readonly emitZeroes: boolean;
  readonly emitStrings: boolean;
  readonly indent: string;
  readonly indentLevel: number;
  readonly maxLength: number;
}

/** The text of a part whose bytes are missing. */
const MISSING = '<missing>';

const LINKAGES = new Map<number, string>([
  [VarLinkage.STATIC, 'static '],
  [VarLinkage.EXTERN, 'extern '],
]);

/** ValuePrinter prints one value. */
export class ValuePrinter {
  readonly #input: ValueInput;
  readonly #options: PrinterOptions;
  readonly #spec: Spec;
  readonly #text: ValueText;
  readonly #casts: CastText;
  readonly #zeroes: ZeroTest;
  /** The number of structs and arrays around the part that is printed. */
  #depth = 0;
  /** Whether one of them is an array: its elements have no casts, nor have their members. */
  #inArray = false;

  constructor(input: ValueInput, options: PrinterOptions) {
    this.#input = input;
    this.#options = options;
    this.#spec = input.types.spec;
    this.#text = new ValueText(options.maxLength);
    this.#casts = new CastText(this.#spec);
    this.#zeroes = new ZeroTest(input);
  }

  /** print returns the text. It can be called once. */
  print(id: TypeId): string {
    const type = this.#input.types.resolve(id);
    this.#startLine();
    if (type.kind === 'DATASEC') this.#section(type.id);
    else if (type.kind === 'VAR') this.#variable({ ...type, offset: 0, size: 0 });
    else this.#value('', placeOf(id));
    return this.#text.toString();
  }

  #section(id: TypeId): void {
    this.#text.write(`SEC("${this.#spec.nameOf(id)}") `);
    for (const variable of this.#input.variables(id)) {
      this.#variable(variable);
      this.#text.write(';');
    }
  }

  #variable(variable: DatasecVar): void {
    const { name, typeId, linkage } = variable;
    this.#text.write(`${LINKAGES.get(linkage) ?? ''}${this.#casts.of(typeId)} ${name} = `);
    this.#value('', this.#input.variable(variable));
  }

  /** Prints a member or an element on its own line, unless it is zero. */
  #part(name: string, place: Place): void {
    const hides = !this.#options.emitZeroes && !this.#inArray;
    if (hides && this.#zeroes.isZero(place)) return;
    this.#startLine();
    this.#value(name, place);
  }

  #value(name: string, place: Place): void {
    const { types, work } = this.#input;
    const type = types.resolve(place.typeId);
    work.step();
    if (!this.#options.skipNames) {
      if (name !== '') this.#text.write(`.${name} = `);
      if (!this.#inArray) this.#text.write(`(${this.#casts.of(place.typeId)})`);
    }
    switch (type.kind) {
      case 'INT':
        return this.#end(this.#intText(type, place));
      case 'ENUM':
      case 'ENUM64':
        return this.#end(this.#enumText(type, place));
      case 'FLOAT':
        this.#input.start(type, place);
        return this.#end(this.#floatText(type, place));
      case 'PTR':
        this.#input.start(type, place);
        return this.#end(this.#pointerText(place));
      case 'ARRAY':
        this.#input.start(type, place);
        return this.#input.isAbsent(place) ? this.#end(MISSING) : this.#array(type, place);
      case 'STRUCT':
      case 'UNION':
        this.#input.start(type, place);
        return this.#input.isAbsent(place) ? this.#end(MISSING) : this.#composite(type, place);
      default:
        throw hasNoValue(type);
    }
  }

  #intText(type: Int, place: Place): string {
    const { bitOffset, bits } = this.#input.bitsOf(type, place);
    if (!this.#input.has(bitOffset, bits)) return MISSING;
    const isWhole = place.bitfieldSize === 0 && !isOldBitfield(type) && bits < 128;
    return isWhole
      ? String(this.#input.integer(type, place))
      : hexText(this.#input.unsigned(bitOffset, bits));
  }

  #enumText(type: Enum | Enum64, place: Place): string {
    const value = this.#input.integer(type, place);
    if (value === null) return MISSING;
    const suffix = type.kind === 'ENUM' ? '' : type.signed ? 'LL' : 'ULL';
    return this.#input.types.nameOfValue(type, value) ?? `${value}${suffix}`;
  }

  #floatText({ size }: Float, place: Place): string {
    const value = this.#input.float(size, place);
    if (value === null) return MISSING;
    const bits = this.#input.unsigned(place.bitOffset, size * 8);
    if (typeof value !== 'number') return hexText(bits);
    // JavaScript has one NaN, C prints its sign.
    return Number.isNaN(value) && bits >> BigInt(size * 8 - 1) === 1n ? '-nan' : fixedText(value);
  }

  /** Returns a pointer as glibc prints it: null is `(nil)`, unless it is not aligned or not one of 64 bits. */
  #pointerText({ bitOffset }: Place): string {
    const bits = this.#input.types.pointerSize * 8;
    if (!this.#input.has(bitOffset, bits)) return MISSING;
    const value = this.#input.unsigned(bitOffset, bits);
    return value === 0n && bits === 64 && bitOffset % 64 === 0 ? '(nil)' : hexText(value);
  }

  #array(type: Array, place: Place): void {
    const { types, work } = this.#input;
    const count = this.#input.countOf(type, place);
    const element = types.resolve(type.typeId);
    const size = types.size(type.typeId);
    const isBytes = element.kind === 'INT' && size === 1;
    const inArray = this.#inArray;
    work.enter();
    if (!isBytes || !this.#options.emitStrings || !this.#string(type, place, count)) {
      this.#open('[');
      this.#inArray = true;
      if (isBytes) this.#bytes(element, type, place, count);
      else this.#elements(type, place, count);
      this.#inArray = inArray;
      this.#close(']');
    }
    work.leave();
  }

  #elements(array: Array, place: Place, count: number): void {
    const bits = this.#input.types.size(array.typeId) * 8;
    for (let i = 0; i < count; i++) {
      const element = elementPlace(array, i, bits, place);
      this.#part('', element);
      if (!this.#input.has(element.bitOffset, bits)) return;
    }
  }

  /** Prints an array of bytes as characters, up to the NUL at the end of a text. */
  #bytes(element: Int, { typeId }: Array, { bitOffset }: Place, count: number): void {
    const offset = bitOffset / 8;
    const end = this.#zeroes.endOfText(typeId, offset, count);
    const shown = end < count && this.#options.emitZeroes ? end + 1 : end;
    for (let i = 0; i < shown; i++) {
      this.#input.work.step();
      this.#startLine();
      if (!this.#input.has((offset + i) * 8, 8)) return this.#end(MISSING);
      this.#end(byteText(element, this.#input.byte(offset + i)));
    }
  }

  /** Prints an array of bytes as a string; returns false, and prints nothing, if it is not one. */
  #string({ typeId }: Array, { bitOffset }: Place, count: number): boolean {
    const offset = bitOffset / 8;
    const end = this.#zeroes.endOfText(typeId, offset, count);
    if (end === count) return false;
    let text = '';
    for (let i = 0; i < end; i++) {
      const byte = this.#input.byte(offset + i);
      this.#input.work.step();
      text += isPrintable(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
    }
    this.#end(`"${text}"`);
    return true;
  }

  #composite(type: Struct | Union, place: Place): void {
    this.#input.work.enter();
    this.#open('{');
    for (const [index, member] of type.members.entries()) {
      this.#part(member.name, memberPlace(type, index, member, place));
    }
    this.#close('}');
    this.#input.work.leave();
  }

  #open(bracket: string): void {
    this.#depth += 1;
    this.#text.write(`${bracket}${this.#options.compact ? '' : '\n'}`);
  }

  #close(bracket: string): void {
    this.#depth -= 1;
    this.#startLine();
    this.#end(bracket);
  }

  #startLine(): void {
    const { compact, indent, indentLevel } = this.#options;
    if (compact) return;
    for (let level = indentLevel + this.#depth; level > 0; level--) this.#text.write(indent);
  }

  /** Ends a part with a comma and a line break, if it lies in another one. */
  #end(text: string): void {
    this.#text.write(text);
    if (this.#depth > 0) this.#text.write(this.#options.compact ? ',' : ',\n');
  }
}

function byteText({ encoding }: Int, byte: number): string {
  if (byte === 0) return "'\\0'";
  if (isPrintable(byte)) return `'${String.fromCharCode(byte)}'`;
  return String((encoding & IntEncoding.SIGNED) === 0 || byte < 128 ? byte : byte - 256);
}
