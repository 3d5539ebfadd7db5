import { visitNames } from '../kind-words.js';
import { Kind } from '../types.js';
import { kindOfInfo } from '../words.js';
import type { MarshalOptions } from './marshal-options.js';
import type { StringPool } from './string-pool.js';

/** KSYM_NAME_LEN before Linux 6.1. */
const SHORT_NAME = 128;

const DOT = 0x2e;
const UNDERSCORE = 0x5f;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** The kinds whose own names, or those of their components, older kernels check. INTs and tags may have any name. */
const CHECKED: ReadonlySet<number> = new Set([
  Kind.STRUCT,
  Kind.UNION,
  Kind.ENUM,
  Kind.ENUM64,
  Kind.FWD,
  Kind.TYPEDEF,
  Kind.FUNC,
  Kind.FUNC_PROTO,
]);

/** PlainNames replaces names by such that older kernels accept. It works with the numbers of a pool. */
export class PlainNames {
  readonly #pool: StringPool;
  readonly #options: MarshalOptions;
  readonly #known = new Map<string, number>();

  constructor(pool: StringPool, options: MarshalOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  /** replace replaces the names of a type in place. */
  replace(words: Int32Array, start: number): void {
    const kind = kindOfInfo(words[start + 1] ?? 0);
    const isSectionPart = kind === Kind.VAR || kind === Kind.DATASEC;
    if (!isSectionPart && !CHECKED.has(kind)) return;
    const { replaceDots = false, replaceSectionNames = false, shortenNames = false } = this.#options;
    visitNames(words, start, (at) => {
      let name = words[at] ?? 0;
      if (kind === Kind.DATASEC && replaceSectionNames) name = this.sectionName(name);
      if (!isSectionPart && replaceDots) name = this.withoutDots(name);
      if (shortenNames) name = this.#shortened(name);
      words[at] = name;
    });
  }

  /** identifier returns a name with only letters, digits and underscores, which does not begin with a digit. */
  identifier(name: number): number {
    return this.#each('identifier', name, isIdentifierByte);
  }

  /** sectionName returns a name as {@link identifier} does, which may also have dots. */
  sectionName(name: number): number {
    return this.#each('section', name, (byte, at) => byte === DOT || isIdentifierByte(byte, at));
  }

  /** withoutDots returns a name with underscores in place of dots. */
  withoutDots(name: number): number {
    return this.#each('dots', name, (byte) => byte !== DOT);
  }

  #shortened(name: number): number {
    if (this.#pool.lengthOf(name) <= SHORT_NAME) return name;
    const bytes = this.#pool.bytesOf(name).slice(0, SHORT_NAME);
    return this.#pool.intern(bytes, 0, bytes.length);
  }

  /** Replaces each byte that is not allowed. */
  #each(rule: string, name: number, allowed: (byte: number, at: number) => boolean): number {
    const key = `${rule} ${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const bytes = this.#pool.bytesOf(name).slice();
    for (const [at, byte] of bytes.entries()) if (!allowed(byte, at)) bytes[at] = UNDERSCORE;
    const plain = this.#pool.intern(bytes, 0, bytes.length);
    this.#known.set(key, plain);
    return plain;
  }
}

function isIdentifierByte(byte: number, at: number): boolean {
  const lower = byte | 0x20;
  const isLetter = lower >= 0x61 && lower <= 0x7a;
  const isDigit = byte >= DIGIT_0 && byte <= DIGIT_9;
  return isLetter || byte === UNDERSCORE || (isDigit && at > 0);
}
