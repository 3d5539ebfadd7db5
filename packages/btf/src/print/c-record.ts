/** PadSink takes the unnamed bitfields that fill a gap. */
export interface PadSink {
  /**
   * pad adds unnamed bitfields.
   *
   * @param type the name of its type.
   * @param typeBits the size of its type.
   * @param width its width; 0 aligns the next member to the type.
   * @param count the number of such bitfields.
   */
  pad(type: string, typeBits: number, width: number, count: number): void;
}

/**
 * CRecord places the members of a struct or union as a C compiler does, in bits. It follows the System V ABI, in which
 * GCC and clang agree for x86-64 and for BPF.
 */
export class CRecord implements PadSink {
  readonly #isUnion: boolean;
  readonly #packed: boolean;
  #at = 0;
  #end = 0;
  #alignment: number;

  /** @param alignment the least alignment in bytes, from an attribute. */
  constructor(isUnion: boolean, packed: boolean, alignment: number) {
    this.#isUnion = isUnion;
    this.#packed = packed;
    this.#alignment = alignment * 8;
  }

  /** The alignment in bytes. */
  get alignment(): number {
    return this.#alignment / 8;
  }

  /** The size in bytes. */
  get size(): number {
    return roundUp(this.#end, this.#alignment) / 8;
  }

  /**
   * member places a member that is not a bitfield, and returns its offset.
   *
   * @param size its size in bytes.
   * @param alignment the alignment of its type in bytes.
   */
  member(size: number, alignment: number): number {
    const bits = this.#packed ? 8 : alignment * 8;
    const start = this.#isUnion ? 0 : roundUp(this.#at, bits);
    this.#advance(start + size * 8);
    if (bits > this.#alignment) this.#alignment = bits;
    return start;
  }

  /** bitfield places a named bitfield, and returns its offset. */
  bitfield(width: number, typeBits: number, typeAlignment: number): number {
    const start = this.#placeBits(width, typeBits, typeAlignment * 8);
    if (!this.#packed && typeAlignment * 8 > this.#alignment) this.#alignment = typeAlignment * 8;
    return start;
  }

  pad(_type: string, typeBits: number, width: number, count: number): void {
    // The ABI aligns to the type even if the struct is packed. The struct itself keeps its alignment.
    if (width === 0) this.#advance(roundUp(this.#at, typeBits));
    else {
      const start = this.#placeBits(width, typeBits, typeBits);
      // Several bitfields are as wide as their type. The others follow without a gap.
      this.#advance(start + width * count);
    }
  }

  #placeBits(width: number, typeBits: number, alignment: number): number {
    let start = this.#isUnion ? 0 : this.#at;
    const units = Math.floor(((start % alignment) + width + alignment - 1) / alignment);
    // A bitfield does not cross the end of a unit of its type.
    if (!this.#packed && units > typeBits / alignment) start = roundUp(start, alignment);
    this.#advance(start + width);
    return start;
  }

  #advance(end: number): void {
    this.#at = end;
    this.#end = Math.max(this.#end, end);
  }
}

/** roundUp returns the next multiple of a step that is not smaller than a value. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
