import { type Random, seeded } from 'test-tools/random';
import { roundUp } from '../print/c-record.js';
import { Kind } from '../types.js';
import { BtfAssembler, type TypeWords } from './assemble-btf.js';

/** Base types: name, size. */
const INTEGERS: readonly (readonly [name: string, size: number])[] = [
  ['unsigned char', 1],
  ['short unsigned int', 2],
  ['unsigned int', 4],
  ['long unsigned int', 8],
];

/** The number of structs and unions of one spec. */
const TYPES = 60;

/** Placed is a type that a member can have. */
interface Placed {
  readonly id: number;
  readonly size: number;
  readonly alignment: number;
  /** Whether only one type may have it, as in C: it is anonymous, or leads to an anonymous type. */
  readonly isAnonymous: boolean;
  readonly isArray: boolean;
}

/**
 * randomLayouts returns BTF of structs and unions whose members do not overlap: bitfields, arrays, anonymous and empty
 * types, and holes, with natural, forced and packed places. The same seed gives the same BTF.
 *
 * @param oldBitfields whether each bitfield is an INT with a width, as before Linux 4.20, instead of a member with one.
 */
export function randomLayouts(seed: number, oldBitfields: boolean): Uint8Array {
  return new RandomLayouts(seeded(seed), oldBitfields).make();
}

class RandomLayouts {
  readonly #random: Random;
  readonly #oldBitfields: boolean;
  readonly #btf = new BtfAssembler('little');
  readonly #types: Placed[] = [];
  /** The ids of old bitfields, by size, width and offset in the INT. */
  readonly #bitfields = new Map<string, number>();
  #id = 0;

  constructor(random: Random, oldBitfields: boolean) {
    this.#random = random;
    this.#oldBitfields = oldBitfields;
  }

  make(): Uint8Array {
    for (const [name, size] of INTEGERS) {
      this.#add(Kind.INT, name, { sizeOrTypeId: size, data: [size * 8] }, size);
    }
    for (const [name, size] of INTEGERS) this.#addBitfields(name, size);
    for (let i = 0; i < TYPES; i++) this.#addComposite();
    return this.#btf.bytes();
  }

  #addBitfields(name: string, size: number): void {
    for (let width = 1; width <= size * 8; width++) {
      for (const offset of [0, 1]) {
        this.#id += 1;
        this.#btf.type(Kind.INT, name, { sizeOrTypeId: size, data: [(offset << 16) | width] });
        this.#bitfields.set(`${size}:${width}:${offset}`, this.#id);
      }
    }
  }

  #addComposite(): void {
    const isUnion = this.#random(5) === 0;
    const isPacked = this.#random(4) === 0;
    const name = this.#random(3) === 0 ? '' : `s${this.#id}`;
    const data: (number | string)[] = [];
    let [end, largest, most, vlen] = [0, 1, 0, 0];
    const add = (typeId: number, start: number, bits: number, width: number): void => {
      const [id, offset] =
        width > 0 && this.#oldBitfields ? this.#oldBitfield(typeId, start, width) : [typeId, 0];
      const word = this.#oldBitfields ? start - offset : (width << 24) | start;
      data.push(`m${vlen}`, id, word);
      vlen += 1;
      end = isUnion ? 0 : start + bits;
      most = Math.max(most, start + bits);
    };
    for (let left = this.#random(8); left > 0; left--) {
      const type = this.#pick();
      const unit = type.size * 8;
      const alignment = isPacked ? 1 : type.alignment;
      if (type.id <= INTEGERS.length && this.#random(3) > 0) {
        // Some bits without a name, and at most to the end of the unit.
        const width = 1 + this.#random(unit - 1);
        const free = isUnion || this.#random(3) > 0 ? 0 : this.#random(2 * unit);
        const start = end + free;
        const crosses = Math.floor(start / unit) !== Math.floor((start + width - 1) / unit);
        add(type.id, crosses && !isPacked ? roundUp(start, unit) : start, width, width);
      } else {
        const forced = !isUnion && this.#random(8) === 0 ? 1 << this.#random(8) : 1;
        add(type.id, roundUp(roundUp(end, 8), 8 * Math.max(alignment, forced)), unit, 0);
      }
      largest = Math.max(largest, alignment);
    }
    const forced = this.#random(6) === 0 ? 1 << this.#random(8) : 1;
    const size = roundUp(Math.ceil(most / 8), Math.max(largest, forced));
    const kind = isUnion ? Kind.UNION : Kind.STRUCT;
    const words = { vlen, sizeOrTypeId: size, kindFlag: !this.#oldBitfields, data };
    this.#add(kind, name, words, size, largest, name === '');
    if (this.#random(4) === 0) this.#addReference();
  }

  /** Adds an array or a pointer. */
  #addReference(): void {
    const { id, size, alignment, isAnonymous, isArray } = this.#pick();
    // pahole prints neither pointers to arrays nor nested arrays, which its encoder does not make.
    if (isArray) return;
    const length = this.#random(4);
    if (this.#random(2) === 0) this.#add(Kind.PTR, '', { sizeOrTypeId: id }, 8, 8, isAnonymous);
    else this.#add(Kind.ARRAY, '', { data: [id, 3, length] }, size * length, alignment, isAnonymous);
  }

  #oldBitfield(typeId: number, start: number, width: number): [id: number, offset: number] {
    const offset = start % 2;
    const size = INTEGERS[typeId - 1]?.[1] ?? 1;
    return [this.#bitfields.get(`${size}:${width}:${offset}`) ?? 0, offset];
  }

  #pick(): Placed {
    // Integers are as frequent as all other types.
    const bound = this.#random(2) === 0 ? INTEGERS.length : this.#types.length;
    const index = this.#random(bound);
    const type = this.#types[index];
    if (type?.isAnonymous === true) this.#types.splice(index, 1);
    return type ?? { id: 1, size: 1, alignment: 1, isAnonymous: false, isArray: false };
  }

  #add(
    kind: number,
    name: string,
    words: TypeWords,
    size: number,
    alignment = size,
    isAnonymous = false,
  ): void {
    this.#id += 1;
    this.#btf.type(kind, name, words);
    const isArray = kind === Kind.ARRAY;
    this.#types.push({ id: this.#id, size, alignment: Math.max(1, alignment), isAnonymous, isArray });
  }
}
