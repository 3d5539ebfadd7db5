import type { TypeId } from '../types.js';
import { BtfBuildError } from './build-error.js';
import type { NewType } from './new-type.js';
import type { StringPool } from './string-pool.js';

/** The bits of vlen since Linux 7.2. */
const MAX_VLEN = 0xffffff;

/** FieldChecks checks that fields of a type fit what BTF has for them, and says which one does not. */
export class FieldChecks {
  readonly #type: NewType;
  readonly #id: TypeId;
  readonly #pool: StringPool;

  constructor(type: NewType, id: TypeId, pool: StringPool) {
    this.#type = type;
    this.#id = id;
    this.#pool = pool;
  }

  /** The type, for messages. */
  get what(): string {
    const { kind, name = '' } = this.#type;
    return name === '' ? `${kind} with type id ${this.#id}` : `${kind} ${JSON.stringify(name)}`;
  }

  /** range is the value, an integer from `least` to `most`. */
  range(value: number, field: string, least: number, most: number): number {
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw this.#invalid(`${field} ${value} is no integer from ${least} to ${most}`, field);
  }

  u32(value: number, field: string): number {
    return this.range(value, field, 0, 0xffffffff);
  }

  /** words64 gives the low and the high word of a value. */
  words64(value: bigint, field: string, signed: boolean): [low: number, high: number] {
    const fits = signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
    if (fits !== value) {
      throw this.#invalid(`${field} ${value} exceeds 64 bits ${signed ? 'with' : 'without'} sign`, field);
    }
    return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
  }

  /** vlen is how many elements there are. */
  vlen(elements: readonly unknown[], field: string): number {
    if (elements.length <= MAX_VLEN) return elements.length;
    const message = `${this.what}: ${elements.length} ${field} exceed the limit of ${MAX_VLEN}`;
    throw new BtfBuildError('LIMIT_EXCEEDED', message, { typeId: this.#id, field });
  }

  /** name is the number of a name in the pool. */
  name(text: string, field: string): number {
    const number = this.#pool.internText(text);
    if (number >= 0) return number;
    throw this.#invalid(`${field} ${JSON.stringify(text)} contains NUL or is no Unicode`, field);
  }

  #invalid(message: string, field: string): BtfBuildError {
    return new BtfBuildError('INVALID_TYPE', `${this.what}: ${message}`, { typeId: this.#id, field });
  }
}
