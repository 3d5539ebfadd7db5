import { type Random, seeded } from 'test-tools/random';
import { roundUp } from '../print/c-record.js';
import { Kind } from '../types.js';
import { BtfAssembler } from './assemble-btf.js';

/** Known has the facts about a type that others need to refer to it. */
interface Known {
  readonly id: number;
  /** In bytes; 0 for a type without objects. */
  readonly size: number;
  readonly alignment: number;
  /** Whether it is an integer or an enum, and so may be a bitfield. */
  readonly isScalar: boolean;
  /** Whether it is an INT with the width of a bitfield, as before Linux 4.20. */
  readonly isOldBitfield: boolean;
  /** For a struct or union: whether a member without a name may have it. */
  readonly isComposite: boolean;
}

/** Base types of C, of Rust, and of sizes that C does not have. */
const BASE_TYPES: readonly (readonly [name: string, size: number, kind?: 'FLOAT'])[] = [
  ['char', 1],
  ['short unsigned int', 2],
  ['int', 4],
  ['long unsigned int', 8],
  ['__int128', 16],
  ['_Bool', 1],
  ['u32', 4],
  ['usize', 8],
  ['(u8, u16)', 3],
  ['double', 8, 'FLOAT'],
  ['float', 4, 'FLOAT'],
  ['f16', 2, 'FLOAT'],
];

/** Names that are not identifiers of C. */
const ODD_NAMES = ['while', '9x', 'a-b', 'core::fmt', '<T>'];

/**
 * randomCTypes returns BTF of random structs, unions and enums, with everything that makes C hard: gaps, packed and
 * overlapping members, unions larger than their members, old and new bitfields, enums of all sizes, and names that C does
 * not have. The same seed gives the same BTF.
 */
export function randomCTypes(seed: number, count: number): Uint8Array {
  return new RandomTypes(seeded(seed)).make(count);
}

class RandomTypes {
  readonly #random: Random;
  readonly #btf = new BtfAssembler('little');
  readonly #known: Known[] = [];
  /** Structs whose members share the names of another struct. Each may be used so once. */
  readonly #anonymous = new Set<number>();
  readonly #inlined = new Set<number>();
  #id = 0;
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  make(count: number): Uint8Array {
    for (const [name, size, kind] of BASE_TYPES) {
      const encoding = name === '_Bool' ? 4 << 24 : 0;
      if (kind === 'FLOAT') this.#add(Kind.FLOAT, name, { sizeOrTypeId: size }, { size });
      else {
        const data = [encoding | (size * 8)];
        this.#add(Kind.INT, name, { sizeOrTypeId: size, data }, { size, isScalar: name !== '_Bool' });
      }
    }
    for (const width of [1, 3, 12, 31]) {
      const data = [((width % 2) << 16) | width];
      this.#add(Kind.INT, 'unsigned int', { sizeOrTypeId: 4, data }, { size: 4, isOldBitfield: true });
    }
    for (let i = 0; i < count; i++) this.#addOne();
    return this.#btf.bytes();
  }

  #addOne(): void {
    const chance = this.#random(100);
    if (chance < 55) this.#addComposite();
    else if (chance < 70) this.#addEnum();
    else if (chance < 80) this.#addArray();
    else if (chance < 84) this.#add(Kind.FWD, this.#name('fwd'), {}, { size: 0 });
    else if (chance < 92) this.#addReference(Kind.PTR, '', 8);
    else if (chance < 97) this.#addReference(Kind.TYPEDEF, this.#name('t'));
    else this.#addReference(Kind.CONST, '');
  }

  #addReference(kind: number, name: string, pointer?: number): void {
    const target = this.#pick();
    // Names under a typedef would be those of an anonymous struct twice.
    if (this.#anonymous.has(target.id)) return;
    const size = pointer ?? target.size;
    const alignment = pointer ?? target.alignment;
    const { isScalar, isOldBitfield } =
      pointer === undefined ? target : { isScalar: false, isOldBitfield: false };
    this.#add(kind, name, { sizeOrTypeId: target.id }, { size, alignment, isScalar, isOldBitfield });
  }

  #addArray(): void {
    const target = this.#pick();
    if (target.size === 0 || target.isOldBitfield) return;
    const length = this.#random(5);
    const { alignment } = target;
    this.#add(Kind.ARRAY, '', { data: [target.id, 3, length] }, { size: target.size * length, alignment });
  }

  #addEnum(): void {
    const isWide = this.#random(3) === 0;
    const size = [1, 2, 4, 4, 8][this.#random(5)] ?? 4;
    const vlen = this.#random(6) === 0 ? 0 : 1 + this.#random(3);
    const isSigned = this.#random(3) === 0;
    const data = Array.from({ length: vlen }, () => {
      const name = this.#name('E');
      // Rarely a value that does not fit.
      const bits = Math.min(size * 8 - 1, 31) + (this.#random(40) === 0 ? 1 : 0);
      const value = this.#random(2 ** bits);
      const low = isSigned && this.#random(2) === 0 ? -value : value;
      if (!isWide) return [name, low];
      return [name, low, low < 0 ? -1 : size === 8 ? this.#random(3) : 0];
    }).flat();
    const words = { vlen, sizeOrTypeId: size, kindFlag: isSigned, data };
    this.#add(isWide ? Kind.ENUM64 : Kind.ENUM, this.#name('e'), words, { size, isScalar: true });
  }

  #addComposite(): void {
    const isUnion = this.#random(4) === 0;
    const packsBitfields = this.#random(2) === 0;
    const isPacked = this.#random(4) === 0;
    const data: (number | string)[] = [];
    let [end, largest, most, vlen] = [0, 1, 0, 0];
    for (let left = this.#random(7); left > 0; left--) {
      const type = this.#pick();
      // The kernel refuses old bitfields where others pack theirs.
      if ((type.size === 0 && this.#random(8) > 0) || (packsBitfields && type.isOldBitfield)) continue;
      const width =
        packsBitfields && type.isScalar && this.#random(2) === 0 ? 1 + this.#random(type.size * 8) : 0;
      const alignment = isPacked ? 1 : type.alignment;
      const aligned = roundUp(end, (width > 0 ? 1 : 8) * alignment);
      const offset = isUnion
        ? 0
        : this.#shifted(width > 0 ? aligned : roundUp(aligned, 8), width > 0 ? 1 : 8);
      data.push(this.#memberName(type), type.id, packsBitfields ? (width << 24) | offset : offset);
      end = offset + (width > 0 ? width : type.size * 8);
      most = Math.max(most, end);
      largest = Math.max(largest, width > 0 ? 1 : alignment);
      vlen += 1;
    }
    const size = roundUp(Math.ceil(most / 8), largest) + ([0, 0, 0, 0, 1, 8, 16, 100][this.#random(8)] ?? 0);
    const isAnonymous = this.#random(5) === 0 && vlen > 0;
    const name = isAnonymous ? '' : this.#name(this.#random(12) === 0 ? this.#odd() : 's');
    const words = { vlen, sizeOrTypeId: size, kindFlag: packsBitfields, data };
    const known = { size, alignment: size % largest === 0 ? largest : 1, isComposite: true };
    this.#add(isUnion ? Kind.UNION : Kind.STRUCT, name, words, known);
    if (isAnonymous) this.#anonymous.add(this.#id);
  }

  /** Returns an offset, sometimes after a gap, and rarely before the end of the last member. */
  #shifted(offset: number, step: number): number {
    const chance = this.#random(40);
    if (chance === 0) return Math.max(0, offset - step * (1 + this.#random(8)));
    return chance < 6 ? offset + step * this.#random(40) : offset;
  }

  /** Returns a name, or none for a struct or union whose members are then the container's. */
  #memberName(type: Known): string {
    const mayLackName = type.isComposite && !this.#inlined.has(type.id);
    if (this.#anonymous.has(type.id) || (mayLackName && this.#random(4) === 0)) {
      this.#inlined.add(type.id);
      return '';
    }
    return this.#name(this.#random(20) === 0 ? this.#odd() : 'm');
  }

  #pick(): Known {
    for (;;) {
      const type = this.#known[this.#random(this.#known.length)];
      if (type !== undefined && !(this.#anonymous.has(type.id) && this.#inlined.has(type.id))) return type;
    }
  }

  #odd(): string {
    return ODD_NAMES[this.#random(ODD_NAMES.length)] ?? '';
  }

  /** Returns a name that no other type, member or constant has. */
  #name(start: string): string {
    this.#names += 1;
    return start === 'while' && this.#names % 2 === 0 ? `${start} ${this.#names}` : `${start}${this.#names}`;
  }

  #add(
    kind: number,
    name: string,
    words: Parameters<BtfAssembler['type']>[2],
    known: Partial<Known> & Pick<Known, 'size'>,
  ): void {
    this.#btf.type(kind, name, words);
    this.#id += 1;
    const alignment = known.alignment ?? Math.max(1, Math.min(known.size, 8));
    this.#known.push({
      isScalar: false,
      isComposite: false,
      isOldBitfield: false,
      ...known,
      alignment,
      id: this.#id,
    });
  }
}
