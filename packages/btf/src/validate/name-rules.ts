import type { StringTable } from '../strings.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';

/** The largest offset of a name (BTF_MAX_NAME_OFFSET). */
const MAX_NAME_OFFSET = 0xffffff;

/** KSYM_NAME_LEN since Linux 6.1, and before it. */
const LONG_NAME = 512;
const SHORT_NAME = 128;

const DOT = 0x2e;
const UNDERSCORE = 0x5f;

/** NameRules are the kernel's rules for names. The offsets passed to its tests must be valid. */
export class NameRules {
  readonly #strings: StringTable;
  readonly #maxLength: number;
  readonly #dots: boolean;
  readonly #printable: boolean;

  constructor(strings: StringTable, features: KernelFeatures) {
    this.#strings = strings;
    this.#maxLength = features.longNames ? LONG_NAME : SHORT_NAME;
    this.#dots = features.dotNames;
    this.#printable = features.printableSectionNames;
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
    return this.#every(offset, this.#dots ? isDottedPart : isIdentifierPart);
  }

  /** isVariableName reports whether a VAR may have a name. */
  isVariableName(offset: number): boolean {
    return this.#every(offset, isDottedPart);
  }

  /** isSectionName reports whether a DATASEC may have a name. */
  isSectionName(offset: number): boolean {
    return this.#every(offset, this.#printable ? isPrintable : isDottedPart);
  }

  /** Whether a name is not empty, not too long, and has only allowed bytes. */
  #every(offset: number, allowed: (byte: number, at: number) => boolean): boolean {
    for (let at = 0; at <= this.#maxLength; at++) {
      const byte = this.#strings.byteAt(offset + at);
      if (byte === 0) return at > 0;
      if (!allowed(byte, at)) return false;
    }
    return false;
  }
}

function isDottedPart(byte: number, at: number): boolean {
  return byte === DOT || isIdentifierPart(byte, at);
}

function isIdentifierPart(byte: number, at: number): boolean {
  return byte === UNDERSCORE || isLetter(byte) || (at > 0 && isDigit(byte));
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
