import { type Random, seeded } from 'test-tools/random';
import { Builder } from '../build/builder.js';
import type { NewType } from '../build/field-checks.js';
import type { ByteOrder } from '../header.js';
import { roundUp } from '../print/c-record.js';
import type { Spec } from '../spec.js';
import { type Enum64Value, type EnumValue, IntEncoding, type Member, type TypeId } from '../types.js';

/** Known has the facts about a type that others need to refer to it. */
interface Known {
  readonly id: TypeId;
  readonly size: number;
  readonly alignment: number;
  /** Whether it is an integer or an enum, and so may be a bitfield. */
  readonly isScalar?: boolean;
  /** Whether it contains an enum, which libbpf reads as zero unless it is aligned. */
  readonly needsAlignment?: boolean;
  /** Whether it contains a signed enum, whose values libbpf only prints in full if they have a name. */
  readonly needsNames?: boolean;
  /** Whether it has no name, and so may be a member without one, once. */
  readonly isAnonymous?: boolean;
}

const { SIGNED, BOOL, CHAR } = IntEncoding;
const INTS: readonly (readonly [name: string, size: number, encoding: number])[] = [
  ['char', 1, SIGNED],
  ['unsigned char', 1, 0],
  ['char8_t', 1, CHAR],
  ['_Bool', 1, BOOL],
  ['short', 2, SIGNED],
  ['unsigned short', 2, 0],
  ['int', 4, SIGNED],
  ['unsigned int', 4, 0],
  ['long', 8, SIGNED],
  ['unsigned long', 8, 0],
  ['__int128', 16, SIGNED],
  ['unsigned __int128', 16, 0],
];

/**
 * randomValueTypes returns BTF of random types, as compilers make them: bitfields, packed structs, anonymous members,
 * flexible arrays, enums of all sizes. The same seed gives the same types.
 */
export function randomValueTypes(seed: number, count: number, byteOrder: ByteOrder = 'little'): Uint8Array {
  return new RandomTypes(seeded(seed)).make(count).marshal({ byteOrder });
}

class RandomTypes {
  readonly #random: Random;
  readonly #builder = new Builder({ deduplicate: false });
  readonly #known: Known[] = [];
  readonly #inlined = new Set<TypeId>();
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  make(count: number): Builder {
    for (const [name, size, encoding] of INTS) {
      const int: NewType = { kind: 'INT', name, size, encoding, bits: size * 8, bitOffset: 0 };
      this.#add(int, { size, alignment: Math.min(size, 8), isScalar: size <= 8 });
    }
    for (const [name, size] of [['float', 4] as const, ['double', 8] as const]) {
      this.#add({ kind: 'FLOAT', name, size }, { size, alignment: size });
    }
    for (let i = 0; i < count; i++) this.#addOne();
    return this.#builder;
  }

  #addOne(): void {
    const chance = this.#random(100);
    if (chance < 50) this.#addComposite();
    else if (chance < 64) this.#addEnum();
    else if (chance < 80) this.#addArray();
    else if (chance < 88) this.#addPointer();
    else if (chance < 95) this.#addAlias('TYPEDEF', this.#name('t'));
    else
      this.#addAlias(
        (['CONST', 'VOLATILE', 'RESTRICT', 'TYPE_TAG'] as const)[this.#random(4)] ?? 'CONST',
        '',
      );
  }

  #addPointer(): void {
    const { id } = this.#pick();
    const protoId = (): TypeId =>
      this.#builder.add({ kind: 'FUNC_PROTO', returnTypeId: id, params: [{ name: '', typeId: id }] });
    const fwdId = (): TypeId => this.#builder.add({ kind: 'FWD', name: 'fwd', union: this.#random(2) === 0 });
    const typeId = [id, id, 0, protoId(), fwdId()][this.#random(5)] ?? id;
    this.#add({ kind: 'PTR', typeId }, { size: 8, alignment: 8 });
  }

  #addAlias(kind: 'TYPEDEF' | 'CONST' | 'VOLATILE' | 'RESTRICT' | 'TYPE_TAG', name: string): void {
    const { id, ...facts } = this.#pick();
    const type: NewType =
      kind === 'TYPE_TAG'
        ? { kind, name: 'tag', typeId: id, attribute: false }
        : kind === 'TYPEDEF'
          ? { kind, name, typeId: id }
          : { kind, typeId: id };
    if (facts.isAnonymous !== true) this.#add(type, facts);
  }

  #addArray(): void {
    const { id, size, alignment, needsAlignment = false, needsNames = false } = this.#pick();
    const nelems = 1 + this.#random(6);
    // libbpf does not print the rest after an array of empty structs.
    if (size === 0 || size * nelems > 4096 || this.#isOnce(id)) return;
    const facts = { size: size * nelems, alignment, needsAlignment, needsNames };
    this.#add({ kind: 'ARRAY', typeId: id, indexTypeId: 7, nelems }, facts);
  }

  #addEnum(): void {
    const size = [1, 2, 4, 4, 8][this.#random(5)] ?? 4;
    const isWide = size === 8 || this.#random(4) === 0;
    const signed = this.#random(3) === 0;
    const bits = Math.min(size * 8, isWide ? 63 : 31) - (signed ? 1 : 0);
    const values: bigint[] = signed ? [-1n, 0n] : [];
    for (let left = 1 + this.#random(4); left > 0; left--) {
      values.push(BigInt(this.#random(0x10000)) % 2n ** BigInt(bits) || 1n);
    }
    const named = values.map((value) => ({ name: this.#name('E'), value }));
    const name = this.#random(4) === 0 ? '' : this.#name('e');
    const facts = { size, alignment: size, isScalar: !signed, needsAlignment: true, needsNames: signed };
    if (isWide)
      this.#add({ kind: 'ENUM64', name, size, signed, values: named satisfies Enum64Value[] }, facts);
    else {
      const small: EnumValue[] = named.map((one) => ({ name: one.name, value: Number(one.value) }));
      this.#add({ kind: 'ENUM', name, size, signed, values: small }, facts);
    }
  }

  #addComposite(): void {
    const isUnion = this.#random(5) === 0;
    const isPacked = this.#random(5) === 0;
    const members: Member[] = [];
    let [end, most, largest] = [0, 0, 1];
    const parts: Known[] = [];
    for (let left = this.#random(8); left > 0; left--) {
      const type = this.#pick();
      if ((isPacked && type.needsAlignment) || (isUnion && type.needsNames)) continue;
      if (this.#inlined.has(type.id)) continue;
      // libbpf takes a struct for zero if its first member is.
      if (type.size === 0 && members.length === 0) continue;
      const bits = type.isScalar === true && this.#random(4) === 0 ? 1 + this.#random(type.size * 8) : 0;
      const alignment = isPacked ? 1 : type.alignment;
      let bitOffset = isUnion ? 0 : end;
      // libbpf loses the bits of a bitfield that are not in the integer at its first byte.
      const fits = (bitOffset % 8) + bits <= type.size * 8;
      if (bits === 0 || !fits) bitOffset = roundUp(bitOffset, 8 * (bits === 0 ? alignment : 1));
      const isNameless = this.#isOnce(type.id) && this.#random(4) > 0;
      if (isNameless) this.#inlined.add(type.id);
      members.push({
        name: isNameless ? '' : this.#name('m'),
        typeId: type.id,
        bitOffset,
        bitfieldSize: bits,
      });
      end = bitOffset + (bits === 0 ? type.size * 8 : bits);
      most = Math.max(most, end);
      largest = Math.max(largest, alignment);
      parts.push(type);
    }
    const size = roundUp(Math.ceil(most / 8), largest);
    if (size > 8192) return;
    if (!isUnion && !isPacked && this.#random(20) === 0) members.push(this.#flexible(size));
    const isAnonymous = members.length > 0 && this.#random(4) === 0;
    const name = isAnonymous ? '' : this.#name(isUnion ? 'u' : 's');
    const kind = isUnion ? 'UNION' : 'STRUCT';
    const needsAlignment = parts.some((part) => part.needsAlignment);
    const needsNames = parts.some((part) => part.needsNames);
    const facts = { size, alignment: largest, isAnonymous, needsAlignment, needsNames };
    this.#add({ kind, name, size, members }, facts);
  }

  #flexible(size: number): Member {
    const typeId = this.#builder.add({
      kind: 'ARRAY',
      typeId: 1 + this.#random(12),
      indexTypeId: 7,
      nelems: 0,
    });
    return { name: this.#name('m'), typeId, bitOffset: size * 8, bitfieldSize: 0 };
  }

  #isOnce(id: TypeId): boolean {
    return this.#known.some((known) => known.id === id && known.isAnonymous === true);
  }

  #add(type: NewType, facts: Omit<Known, 'id'>): void {
    this.#known.push({ id: this.#builder.add(type), ...facts });
  }

  /** Picks a type, mostly a scalar or a recent one. */
  #pick(): Known {
    const recent = Math.min(60, this.#known.length);
    const index =
      this.#random(2) === 0 ? this.#known.length - 1 - this.#random(recent) : this.#random(INTS.length + 2);
    const known = this.#known[index];
    if (known === undefined) throw new Error('no types yet');
    return known;
  }

  #name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }
}

/** sizedTypes returns the ids of the types of a spec that have a value. */
export function sizedTypes(spec: Spec): TypeId[] {
  return [...spec.typeIds()].filter((id) => {
    const { kind } = spec.typeById(id);
    return kind !== 'FWD' && kind !== 'FUNC_PROTO';
  });
}
