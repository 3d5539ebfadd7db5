import type { Array, Struct, TypeId, Union } from '../types.js';
import { elementPlace, memberPlace, type Place, type ValueInput } from './value-input.js';
import { hasNoValue } from './value-types.js';

/** ZeroTest finds the parts of a value that are zero, which are not printed by default. */
export class ZeroTest {
  readonly #input: ValueInput;

  constructor(input: ValueInput) {
    this.#input = input;
  }

  /**
   * isZero reports whether a part has no bits that are set, and its bytes are there. Padding does not count, nor do
   * characters after the end of a text.
   *
   * @throws BtfReadError as `readValue` does.
   */
  isZero(place: Place): boolean {
    const { types, work } = this.#input;
    const type = types.resolve(place.typeId);
    work.step();
    switch (type.kind) {
      case 'INT':
      case 'ENUM':
      case 'ENUM64': {
        const { bitOffset, bits } = this.#input.bitsOf(type, place);
        return this.#input.isClear(bitOffset, bits);
      }
      case 'PTR':
      case 'FLOAT':
        return this.#input.isClear(this.#input.start(type, place) * 8, types.size(type.id) * 8);
      case 'ARRAY':
        this.#input.start(type, place);
        return this.#isZeroArray(type, place);
      case 'STRUCT':
      case 'UNION':
        this.#input.start(type, place);
        return this.#hasZeroMembers(type, place);
      default:
        throw hasNoValue(type);
    }
  }

  /**
   * endOfText returns the index of the NUL that ends a text in an array of bytes; the length of the array if there is none.
   * The bytes after the NUL of a `char` array do not count. In other arrays of bytes, such as addresses, they must be zero.
   */
  endOfText(elementId: TypeId, offset: number, count: number): number {
    let end = 0;
    while (end < count && this.#input.has((offset + end) * 8, 8) && this.#input.byte(offset + end) !== 0)
      end++;
    this.#input.work.step(end / 8);
    if (end === count || !this.#input.has((offset + end) * 8, 8)) return count;
    if (this.#input.types.isText(elementId)) return end;
    let rest = end + 1;
    while (rest < count && this.#input.has((offset + rest) * 8, 8) && this.#input.byte(offset + rest) === 0)
      rest++;
    this.#input.work.step((rest - end) / 8);
    return rest === count ? end : count;
  }

  #isZeroArray(array: Array, place: Place): boolean {
    const { types, work } = this.#input;
    const count = this.#input.countOf(array, place);
    const element = types.resolve(array.typeId);
    const size = types.size(array.typeId);
    if (element.kind === 'INT' && size === 1) {
      return count === 0 || this.endOfText(array.typeId, place.bitOffset / 8, count) === 0;
    }
    work.enter();
    let isZero = true;
    for (let i = 0; isZero && i < count; i++) {
      isZero = this.isZero(elementPlace(array, i, size * 8, place));
    }
    work.leave();
    return isZero;
  }

  #hasZeroMembers(type: Struct | Union, place: Place): boolean {
    this.#input.work.enter();
    const isZero = type.members.every((member, index) =>
      this.isZero(memberPlace(type, index, member, place)),
    );
    this.#input.work.leave();
    return isZero;
  }
}
