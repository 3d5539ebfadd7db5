import type { Type, TypeId } from '../types.js';
import { BtfBuildError } from './build-error.js';
import type { StringPool } from './string-pool.js';

/** The bits of vlen since Linux 7.2. */
const MAX_VLEN = 0xffffff;

/** Maximum length of a value or name in a message. */
const SHOWN = 60;

/**
 * ElementField is a field of an element, such as `members[3].name`. It becomes text only in an error: making the text for
 * each field of each element takes longer than all checks.
 */
export class ElementField {
  readonly #list: string;
  #index = 0;
  #name = '';

  constructor(list: string) {
    this.#list = list;
  }

  /** at returns this as a field of another element. */
  at(index: number, name: string): this {
    this.#index = index;
    this.#name = name;
    return this;
  }

  toString(): string {
    return `${this.#list}[${this.#index}].${this.#name}`;
  }
}

type Field = string | ElementField;

/**
 * FieldChecks checks that the fields of a type fit into BTF, and reports the first that does not. Callers in plain
 * JavaScript may pass anything, so it does not rely on declared types.
 */
export class FieldChecks {
  readonly #type: NewType;
  readonly #id: TypeId;
  readonly #pool: StringPool;

  constructor(type: NewType, id: TypeId, pool: StringPool) {
    this.#type = type;
    this.#id = id;
    this.#pool = pool;
    if (!isObject(type))
      throw new BtfBuildError('INVALID_TYPE', `${shown(type)} is not a type`, { typeId: id });
  }

  /** Words for the type in a message. */
  get what(): string {
    const kind: unknown = this.#type.kind;
    const name: unknown = this.#type.name ?? '';
    const word = typeof kind === 'string' ? kind.slice(0, SHOWN) : 'a type without a kind';
    return name === '' ? `${word} with type id ${this.#id}` : `${word} ${shown(name)}`;
  }

  /** range returns the value if it is an integer from `least` to `most`. */
  range(value: unknown, field: Field, least: number, most: number): number {
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
    if (fits) return value;
    throw this.invalid(`${String(field)} ${shown(value)} is not an integer from ${least} to ${most}`, field);
  }

  u32(value: unknown, field: Field): number {
    return this.range(value, field, 0, 0xffffffff);
  }

  /** flag returns the value if it is a boolean. */
  flag(value: unknown, field: Field): boolean {
    if (typeof value === 'boolean') return value;
    throw this.invalid(`${String(field)} ${shown(value)} is not a boolean`, field);
  }

  /** words64 returns the low and the high word of a value. */
  words64(value: unknown, field: Field, signed: boolean): [low: number, high: number] {
    if (typeof value !== 'bigint')
      throw this.invalid(`${String(field)} ${shown(value)} is not a bigint`, field);
    const fits = signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
    if (fits !== value) {
      const sign = signed ? 'signed' : 'unsigned';
      throw this.invalid(`${String(field)} ${shown(value)} does not fit into 64 ${sign} bits`, field);
    }
    return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
  }

  /** elements returns the list if it is an array of objects, and has no more of them than vlen can count. */
  elements<T extends object>(list: readonly T[], field: string): readonly T[] {
    if (!Array.isArray(list)) throw this.invalid(`${field} ${shown(list)} is not an array`, field);
    if (list.length > MAX_VLEN) {
      const message = `${this.what}: ${list.length} ${field} exceed the limit of ${MAX_VLEN}`;
      throw new BtfBuildError('LIMIT_EXCEEDED', message, { typeId: this.#id, field });
    }
    for (let i = 0; i < list.length; i++) {
      const element: unknown = list[i];
      if (isObject(element)) continue;
      throw this.invalid(`${field}[${i}] ${shown(element)} is not an object`, `${field}[${i}]`);
    }
    return list;
  }

  /** name returns the number of a name in the pool. */
  name(text: unknown, field: Field): number {
    if (typeof text !== 'string')
      throw this.invalid(`${String(field)} ${shown(text)} is not a string`, field);
    const number = this.#pool.internText(text);
    if (number >= 0) return number;
    throw this.invalid(`${String(field)} ${shown(text)} contains NUL or is not valid Unicode`, field);
  }

  invalid(message: string, field: Field): BtfBuildError {
    return new BtfBuildError('INVALID_TYPE', `${this.what}: ${message}`, {
      typeId: this.#id,
      field: String(field),
    });
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Returns a short text for a value in a message. It calls no method of the value. */
function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > SHOWN ? `${JSON.stringify(value.slice(0, SHOWN))}…` : JSON.stringify(value);
    case 'bigint':
      return BigInt.asIntN(128, value) === value ? String(value) : 'of more than 128 bits';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    default:
      return String(value);
  }
}

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, Extract<keyof T, K>> : never;

/**
 * NewType is a type to add: a {@link Type} without its id, in which an empty name may be left out. A decoded `Type` is
 * also a NewType; its id is ignored.
 */
export type NewType = Without<Type, 'id' | 'name'> & { readonly name?: string };
