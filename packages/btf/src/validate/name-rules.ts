import type { StringTable, TextSpan } from '../strings.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';

/** The largest offset of a name (BTF_MAX_NAME_OFFSET). */
const MAX_NAME_OFFSET = 0xffffff;

/** KSYM_NAME_LEN since Linux 6.1, and before it. */
const LONG_NAME = 512;
const SHORT_NAME = 128;

const DOT = 0x2e;
const UNDERSCORE = 0x5f;

/** The bits of {@link CLASSES}. */
const START = 1;
const PART = 2;
const DOTS = 4;
const PRINTABLE = 8;

/** The classes of each byte. Names are tested byte by byte, and vmlinux has hundreds of thousands of them. */
const CLASSES = /* @__PURE__ */ Uint8Array.from({ length: 256 }, (_, byte) => classesOf(byte));

/** NameRules are the kernel's rules for names. The offsets passed to its tests must be valid. */
export class NameRules {
  readonly #strings: StringTable;
  readonly #maxLength: number;
  readonly #dots: boolean;
  readonly #printable: boolean;
  readonly #text: TextSpan = { bytes: new Uint8Array(), from: 0, to: 0 };
  /** A bit for each offset whose string was found to be an identifier. The most frequent names stand thousands of times. */
  readonly #identifiers: Uint8Array;

  constructor(strings: StringTable, features: KernelFeatures) {
    this.#strings = strings;
    this.#maxLength = features.longNames ? LONG_NAME : SHORT_NAME;
    this.#dots = features.dotNames;
    this.#printable = features.printableSectionNames;
    this.#identifiers = new Uint8Array((strings.end >>> 3) + 1);
  }

  /** isOffset reports whether an offset lies in the strings. */
  isOffset(offset: number): boolean {
    return offset <= MAX_NAME_OFFSET && offset < this.#strings.end;
  }

  /** isEmpty reports whether the string at an offset is empty, wherever it is. */
  isEmpty(offset: number): boolean {
    return this.#strings.byteAt(offset) === 0;
  }

  /**
   * isIdentifier reports whether a name has only letters, digits, underscores and dots, and does not begin with a
   * digit.
   */
  isIdentifier(offset: number): boolean {
    const at = offset >>> 3;
    const bit = 1 << (offset & 7);
    const known = this.#identifiers[at] ?? 0;
    if ((known & bit) !== 0) return true;
    const is = this.#dots ? this.isVariableName(offset) : this.#matches(offset, START, PART);
    if (is) this.#identifiers[at] = known | bit;
    return is;
  }

  /** isVariableName reports whether a VAR may have a name. */
  isVariableName(offset: number): boolean {
    return this.#matches(offset, START | DOTS, PART | DOTS);
  }

  /** isSectionName reports whether a DATASEC may have a name. */
  isSectionName(offset: number): boolean {
    return this.#printable ? this.#matches(offset, PRINTABLE, PRINTABLE) : this.isVariableName(offset);
  }

  /** Whether a name is not empty, not too long, and has only bytes of certain classes. */
  #matches(offset: number, first: number, others: number): boolean {
    this.#strings.findRaw(offset, this.#text);
    const { bytes, from } = this.#text;
    const last = from + this.#maxLength;
    let allowed = first;
    for (let at = from; at <= last; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === 0) return at > from;
      if (((CLASSES[byte] ?? 0) & allowed) === 0) return false;
      allowed = others;
    }
    return false;
  }
}

function classesOf(byte: number): number {
  const isStart = byte === UNDERSCORE || isLetter(byte);
  const identifier = (isStart ? START : 0) | (isStart || isDigit(byte) ? PART : 0);
  return identifier | (byte === DOT ? DOTS : 0) | (isPrintable(byte) ? PRINTABLE : 0);
}

// The kernel's character classes are those of Latin 1 (lib/ctype.c).

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) return true;
  return byte >= 0xc0 && byte !== 0xd7 && byte !== 0xf7;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || byte >= 0xa0;
}
