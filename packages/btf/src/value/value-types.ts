import { BtfFormatError } from '../format-error.js';
import { describeType, isAlias } from '../query/resolve.js';
import { Chain, followed } from '../query/follow.js';
import { type PointerSize, pointerSize } from '../query/pointer-size.js';
import { type DataModel, sizeof } from '../query/sizeof.js';
import type { Spec } from '../spec.js';
import { type Enum, type Enum64, type Int, IntEncoding, type Type, type TypeId } from '../types.js';

/** ValueTypes has the types of values, each decoded and measured once. */
export class ValueTypes {
  readonly spec: Spec;
  readonly pointerSize: PointerSize;
  readonly #resolved = new Map<TypeId, Type>();
  readonly #sizes = new Map<TypeId, number>();
  readonly #enums = new Map<TypeId, ReadonlyMap<number | bigint, string>>();

  constructor(spec: Spec, pointer: PointerSize) {
    this.spec = spec;
    this.pointerSize = pointer;
  }

  /**
   * resolve returns the type that typedefs, qualifiers and type tags stand for.
   *
   * @throws BtfReadError as `resolve` does.
   * @throws BtfFormatError `MALFORMED` for an enum or a floating point number of a size that no kernel accepts.
   */
  resolve(id: TypeId): Type {
    const passed: TypeId[] = [];
    const chain = new Chain(id);
    let at = id;
    let found = this.#resolved.get(at);
    while (found === undefined) {
      passed.push(at);
      const type = this.spec.typeById(at);
      if (isAlias(type)) {
        chain.pass(type.typeId);
        at = followed(this.spec, at, type.typeId);
        found = this.#resolved.get(at);
      } else {
        found = checked(type);
      }
    }
    for (const one of passed) this.#resolved.set(one, found);
    return found;
  }

  /**
   * size returns the size of a type in bytes.
   *
   * @throws BtfReadError as `sizeof` does.
   */
  size(id: TypeId): number {
    let size = this.#sizes.get(id);
    if (size === undefined) {
      size = sizeof(this.spec, id, this);
      this.#sizes.set(id, size);
    }
    return size;
  }

  /** nameOfValue returns the name of a constant of an enum; undefined if none has the value. */
  nameOfValue(type: Enum | Enum64, value: number | bigint): string | undefined {
    let names = this.#enums.get(type.id);
    if (names === undefined) {
      // The first constant of a value gives the name, as in libbpf. Equal numbers and bigints are different keys.
      names = new Map(type.values.toReversed().map((one) => [keyOf(one.value), one.name]));
      this.#enums.set(type.id, names);
    }
    return names.get(keyOf(value));
  }

  /** isText reports whether bpftool shows an array of a type as text: a `char`, and not a typedef of it. */
  isText(elementId: TypeId): boolean {
    let type = this.spec.typeById(elementId);
    for (const chain = new Chain(elementId); isAlias(type) && type.kind !== 'TYPEDEF';) {
      chain.pass(type.typeId);
      type = this.spec.typeById(followed(this.spec, type.id, type.typeId));
    }
    return type.kind === 'INT' && type.size === 1 && (isChar(type) || type.name === 'char');
  }
}

/** Bytes of the largest enum and floating point number. Reading a larger one takes time in proportion to its square. */
const MAX_ENUM = 8;
const MAX_FLOAT = 16;

function checked(type: Type): Type {
  const isEnum = type.kind === 'ENUM' || type.kind === 'ENUM64';
  if ((isEnum && type.size > MAX_ENUM) || (type.kind === 'FLOAT' && type.size > MAX_FLOAT)) {
    const message = `a ${describeType(type)} cannot have ${type.size} bytes`;
    throw new BtfFormatError('MALFORMED', message, { typeId: type.id });
  }
  return type;
}

const kept = new WeakMap<Spec, Map<PointerSize, ValueTypes>>();

/** valueTypesOf returns the ValueTypes of a spec, which are kept with it: a program reads many values of few types. */
export function valueTypesOf(spec: Spec, model: DataModel): ValueTypes {
  const pointer = model.pointerSize ?? pointerSize(spec);
  const bySize = kept.get(spec) ?? new Map<PointerSize, ValueTypes>();
  const types = bySize.get(pointer) ?? new ValueTypes(spec, pointer);
  kept.set(spec, bySize.set(pointer, types));
  return types;
}

/** isChar reports whether an integer is encoded as a character of a byte. Compilers encode C's `char` as a number. */
export function isChar({ encoding, size }: Int): boolean {
  return size === 1 && (encoding & IntEncoding.CHAR) !== 0;
}

/** hasNoValue returns the error for a type that has no value, such as a function. */
export function hasNoValue(type: Type): BtfFormatError {
  const isUnknown = type.kind === 'UNKNOWN';
  return new BtfFormatError(
    isUnknown ? 'UNSUPPORTED' : 'INVALID_ARGUMENT',
    `${isUnknown ? `type of unknown kind ${type.kindNumber}` : describeType(type)} has no value`,
    { typeId: type.id },
  );
}

/** A key for integers of any width. Bigints below 2^53 are equal to numbers. */
function keyOf(value: number | bigint): number | bigint {
  return typeof value === 'number' || BigInt(Number(value)) !== value ? value : Number(value);
}
