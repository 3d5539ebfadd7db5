import type { Type, TypeId } from '../types.js';
import { BtfBuildError } from './build-error.js';
import type { StringPool } from './string-pool.js';

/** The bits of vlen since Linux 7.2. */
const MAX_VLEN = 0xffffff;

/** How much of a value or name a message shows. */
const SHOWN = 60;

/**
 * FieldChecks checks that fields of a type fit what BTF has for them, and says which one does not. Callers in plain
 * JavaScript may have given anything, so it relies on no type.
 */
export class FieldChecks {
  readonly #type: NewType;
  readonly #id: TypeId;
  readonly #pool: StringPool;

  constructor(type: NewType, id: TypeId, pool: StringPool) {
    this.#type = type;
    this.#id = id;
    this.#pool = pool;
    if (!isObject(type)) throw new BtfBuildError('INVALID_TYPE', `${shown(type)} is no type`, { typeId: id });
  }

  /** The type, for messages. */
  get what(): string {
    const kind: unknown = this.#type.kind;
    const name: unknown = this.#type.name ?? '';
    const word = typeof kind === 'string' ? kind.slice(0, SHOWN) : 'a type without kind';
    return name === '' ? `${word} with type id ${this.#id}` : `${word} ${shown(name)}`;
  }

  /** range is the value, an integer from `least` to `most`. */
  range(value: unknown, field: string, least: number, most: number): number {
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
    if (fits) return value;
    throw this.invalid(`${field} ${shown(value)} is no integer from ${least} to ${most}`, field);
  }

  u32(value: unknown, field: string): number {
    return this.range(value, field, 0, 0xffffffff);
  }

  /** flag is the value, a boolean. */
  flag(value: unknown, field: string): boolean {
    if (typeof value === 'boolean') return value;
    throw this.invalid(`${field} ${shown(value)} is no boolean`, field);
  }

  /** words64 gives the low and the high word of a value. */
  words64(value: unknown, field: string, signed: boolean): [low: number, high: number] {
    if (typeof value !== 'bigint') throw this.invalid(`${field} ${shown(value)} is no bigint`, field);
    const fits = signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
    if (fits !== value) {
      const sign = signed ? 'with' : 'without';
      throw this.invalid(`${field} ${shown(value)} exceeds 64 bits ${sign} sign`, field);
    }
    return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
  }

  /** elements is the list, of no more objects than vlen can count. */
  elements<T extends object>(list: readonly T[], field: string): readonly T[] {
    if (!Array.isArray(list)) throw this.invalid(`${field} ${shown(list)} is no array`, field);
    if (list.length > MAX_VLEN) {
      const message = `${this.what}: ${list.length} ${field} exceed the limit of ${MAX_VLEN}`;
      throw new BtfBuildError('LIMIT_EXCEEDED', message, { typeId: this.#id, field });
    }
    for (let i = 0; i < list.length; i++) {
      const element: unknown = list[i];
      if (isObject(element)) continue;
      throw this.invalid(`${field}[${i}] ${shown(element)} is no object`, `${field}[${i}]`);
    }
    return list;
  }

  /** name is the number of a name in the pool. */
  name(text: unknown, field: string): number {
    if (typeof text !== 'string') throw this.invalid(`${field} ${shown(text)} is no string`, field);
    const number = this.#pool.internText(text);
    if (number >= 0) return number;
    throw this.invalid(`${field} ${shown(text)} contains NUL or is no Unicode`, field);
  }

  invalid(message: string, field: string): BtfBuildError {
    return new BtfBuildError('INVALID_TYPE', `${this.what}: ${message}`, { typeId: this.#id, field });
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** A value as a message shows it, short whatever it is. Nothing of it is called. */
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
 * NewType is a type to add: as a {@link Type}, without its id, and the name may be left out where it is empty.
 * A decoded `Type` is one too; its id means nothing.
 */
export type NewType = Without<Type, 'id' | 'name'> & { readonly name?: string };
