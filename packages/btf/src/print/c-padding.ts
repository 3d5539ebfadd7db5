import type { PointerSize } from '../query/pointer-size.js';
import { type PadSink, roundUp } from './c-record.js';

interface PadType {
  readonly name: string;
  readonly bits: number;
}

const SMALLER: readonly PadType[] = [
  { name: 'int', bits: 32 },
  { name: 'short', bits: 16 },
  { name: 'char', bits: 8 },
];

const CHAR: PadType = { name: 'char', bits: 8 };

/** Gap is the room between two members, in bits from the start of the struct. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  /** The alignment in bytes of the member after the gap. */
  readonly alignment: number;
  /** Whether there are bitfields on both sides. */
  readonly inBitfield: boolean;
}

/** CPadding fills gaps with unnamed bitfields (`long: 64;`). */
export class CPadding {
  readonly #types: readonly PadType[];

  constructor(pointerSize: PointerSize) {
    this.#types = [{ name: 'long', bits: pointerSize * 8 }, ...SMALLER];
  }

  /**
   * fillGap fills a gap with the bitfields that libbpf writes. It adds none if the compiler aligns the next member anyway.
   */
  fillGap({ from, to, alignment, inBitfield }: Gap, sink: PadSink): void {
    if (from >= to) return;
    // The largest type with a boundary within the gap moves the offset to that boundary; the rest is filled with it.
    const pad = this.#types.find(({ bits }) => roundUp(from, bits) <= to);
    const { name, bits } = pad ?? CHAR;
    const boundary = pad === undefined ? from : roundUp(from, bits);
    if (boundary > from) {
      // `long: 0` is needed if the compiler would not move to that boundary anyway.
      const explicit =
        inBitfield ||
        (boundary === to && roundUp(from, alignment * 8) !== boundary) ||
        (boundary !== to && to - boundary <= boundary - from);
      if (explicit) sink.pad(name, bits, inBitfield ? boundary - from : 0, 1);
    }
    this.#wholes(to - boundary, { name, bits }, sink);
  }

  /** fillExactly fills a gap of a packed struct, in which a bitfield may start at each bit, without alignment. */
  fillExactly(gap: number, sink: PadSink): void {
    this.#wholes(gap, this.#types[0] ?? CHAR, sink);
  }

  /** Fills a gap with bitfields as wide as a type, and then with a smaller one. */
  #wholes(gap: number, { name, bits }: PadType, sink: PadSink): void {
    const count = Math.floor(gap / bits);
    if (count > 0) sink.pad(name, bits, bits, count);
    const rest = gap - count * bits;
    if (rest > 0) this.#rest(rest, sink);
  }

  #rest(width: number, sink: PadSink): void {
    const { name, bits } = this.#types.findLast((type) => type.bits >= width) ?? CHAR;
    sink.pad(name, bits, width, 1);
  }
}
