import type { PointerSize } from '../query/pointer-size.js';
import type { TextOutput } from './text-output.js';

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

/**
 * CPadding fills gaps with unnamed bitfields (`long: 64;`), as few as libbpf does: it writes nothing if the compiler
 * aligns the next member anyway.
 */
export class CPadding {
  readonly #out: TextOutput;
  readonly #types: readonly PadType[];

  constructor(out: TextOutput, pointerSize: PointerSize) {
    this.#out = out;
    this.#types = [{ name: 'long', bits: pointerSize * 8 }, ...SMALLER];
  }

  /** @param indent the start of each line, including its line break. */
  pad({ from, to, alignment, inBitfield }: Gap, indent: string): void {
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
      if (explicit) this.#write(indent, name, inBitfield ? boundary - from : 0);
    }
    let at = boundary;
    for (; to - at >= bits; at += bits) this.#write(indent, name, bits);
    if (at < to) this.#write(indent, this.#smallest(to - at), to - at);
  }

  #write(indent: string, type: string, bits: number): void {
    this.#out.write(indent);
    this.#out.write(type);
    this.#out.write(': ');
    this.#out.writeNumber(bits);
    this.#out.write(';');
  }

  #smallest(bits: number): string {
    return (this.#types.findLast((type) => type.bits >= bits) ?? CHAR).name;
  }
}

function roundUp(offset: number, step: number): number {
  return Math.ceil(offset / step) * step;
}
