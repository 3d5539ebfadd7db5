import type { Member, Struct, TypeId, Union } from '../types.js';

/** Gap is room that no member takes. */
export interface Gap {
  /** Whole bytes from the start of the type. */
  readonly offset: number;
  readonly bits: number;
  readonly bytes: number;
}

/** GapTotals adds up the members and gaps of one type. See `Layout` for the fields. */
export interface GapTotals {
  readonly memberBytes: number;
  readonly holes: number;
  readonly holeBytes: number;
  readonly bitHoles: number;
  readonly holeBits: number;
  readonly bitfieldBits: number;
  readonly padding: number;
  readonly paddingBits: number;
  readonly forcedAlignments: number;
  readonly forcedHoles: number;
  readonly forcedHoleBytes: number;
}

/** Gaps finds holes and padding from the members of a type, which it is given one by one. */
export class Gaps {
  readonly #size: number;
  /** Members of a union share their place, so there are no holes between them. */
  readonly #isUnion: boolean;
  readonly #alignmentOf: (typeId: TypeId) => number;
  /** The end of the members so far, in bits. */
  #end = 0;
  /** The end of the unit that contains the last bitfield, in bits. */
  #unitEnd = 0;
  /** The end of the last member, or of the unit that contains it, in bytes. */
  #lastEnd = 0;
  readonly #totals = {
    memberBytes: 0,
    holes: 0,
    holeBytes: 0,
    bitHoles: 0,
    holeBits: 0,
    bitfieldBits: 0,
    padding: 0,
    paddingBits: 0,
    forcedAlignments: 0,
    forcedHoles: 0,
    forcedHoleBytes: 0,
  };

  /** @param alignmentOf returns the alignment of a member's type. */
  constructor({ kind, size }: Struct | Union, alignmentOf: (typeId: TypeId) => number) {
    this.#size = size;
    this.#isUnion = kind === 'UNION';
    this.#alignmentOf = alignmentOf;
  }

  /**
   * before returns the hole before the next member; null if there is none.
   *
   * @param size of the member's type.
   */
  before({ typeId, bitOffset, bitfieldSize }: Member, size: number): Gap | null {
    const gap = this.#isUnion ? null : this.#gapTo(bitOffset);
    if (gap !== null) {
      if (gap.bits > 0) this.#totals.bitHoles += 1;
      if (gap.bytes > 0) this.#totals.holes += 1;
      this.#totals.holeBits += gap.bits;
      this.#totals.holeBytes += gap.bytes;
    }
    const unit = bitfieldSize === 0 ? 8 : Math.max(1, size) * 8;
    const unitStart = Math.floor(bitOffset / unit) * unit;
    if (bitfieldSize === 0) this.#totals.memberBytes += size;
    else this.#totals.bitfieldBits += bitfieldSize;
    this.#end = Math.max(this.#end, bitOffset + (bitfieldSize === 0 ? size * 8 : bitfieldSize));
    this.#unitEnd = bitfieldSize === 0 ? 0 : unitStart + unit;
    // Like pahole, ignore members without a size, and the room before them.
    if (size > 0 && !this.#isUnion) this.#addPlace(unitStart / 8, size, typeId, gap?.bytes ?? 0);
    return gap;
  }

  /** atEnd returns the padding; null if there is none. */
  atEnd(): Gap | null {
    const gap = this.#gapTo(this.#size * 8);
    this.#totals.padding = gap === null ? 0 : gap.bytes;
    this.#totals.paddingBits = gap === null ? 0 : gap.bits;
    return gap;
  }

  totals(): GapTotals {
    return this.#totals;
  }

  #addPlace(offset: number, size: number, typeId: TypeId, hole: number): void {
    const room = offset - this.#lastEnd;
    this.#lastEnd = offset + size;
    if (room <= 0 || offset % 2 !== 0) return;
    // The power of two above the room: if no lower alignment explains the room, an attribute must.
    if (2 ** (Math.floor(Math.log2(room)) + 1) <= this.#alignmentOf(typeId)) return;
    this.#totals.forcedAlignments += 1;
    this.#totals.forcedHoles += hole > 0 ? 1 : 0;
    this.#totals.forcedHoleBytes += hole;
  }

  #gapTo(offset: number): Gap | null {
    if (offset <= this.#end) return null;
    // Bits up to the end of a bitfield's unit, then bytes, then the bits that are left before the next bitfield.
    const bitsEnd = Math.min(offset, Math.max(this.#end, this.#unitEnd));
    const bytesStart = Math.min(offset, Math.ceil(bitsEnd / 8) * 8);
    return {
      offset: Math.floor(this.#end / 8),
      bits: bytesStart - this.#end + ((offset - bytesStart) % 8),
      bytes: Math.floor((offset - bytesStart) / 8),
    };
  }
}
