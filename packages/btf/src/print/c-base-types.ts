import type { PointerSize } from '../query/pointer-size.js';
import { Kind, type TypeId } from '../types.js';
import type { CContext } from './c-context.js';

/** IntEncoding.SIGNED, in the word of an INT. */
const SIGNED = 1 << 24;

/** The characters of a name to compare. All names of C's base types are shorter, so a name that is cut equals none. */
const MAX_NAME = 64;

/** The largest number of words in the name of a base type: `long long unsigned int`. */
const MOST_WORDS = 4;

/** A type that compilers define themselves. Its size for BPF differs from that for x86-64. */
const VA_LIST = '__builtin_va_list';

/**
 * The names of floating-point types that have the same size for all targets. `long double` has 16 bytes for x86-64 and 8 for
 * BPF, which has no `_Float16` and no `_Float128`.
 */
const FLOATS: ReadonlyMap<string, number> = new Map([
  ['float', 4],
  ['double', 8],
]);

/** BaseType is the way in which C names an INT or FLOAT. */
export interface BaseType {
  /** Whether the name in the BTF is that of a base type of C with the same size. Otherwise a typedef has that name. */
  readonly isKnown: boolean;
  /** The type of the typedef: an integer, `float` or `double`, or a struct of bytes if C has none of that size. */
  readonly standIn: string;
  /** Whether C has such a number, so that a bitfield can have the type. */
  readonly isScalar: boolean;
  readonly alignment: number;
}

/** CBaseTypes finds out how C names the types without parts. */
export class CBaseTypes {
  readonly #context: Pick<CContext, 'types' | 'strings'>;
  readonly #pointerSize: PointerSize;
  readonly #found = new Map<TypeId, BaseType>();

  constructor(context: Pick<CContext, 'types' | 'strings'>, pointerSize: PointerSize) {
    this.#context = context;
    this.#pointerSize = pointerSize;
  }

  /** of returns how C names an INT or FLOAT. */
  of(id: TypeId): BaseType {
    let found = this.#found.get(id);
    if (found === undefined) {
      found = this.#find(id);
      this.#found.set(id, found);
    }
    return found;
  }

  /** isVaList reports whether a TYPEDEF has the name of the compiler's own `va_list`, so that no header can define it. */
  isVaList(id: TypeId): boolean {
    const { types, strings } = this.#context;
    return strings.equals(types.name(id), VA_LIST);
  }

  /** integer returns the integer type of C that has a size, or null. */
  integer(size: number, signed: boolean): string | null {
    const sign = signed ? '' : 'unsigned ';
    switch (size) {
      case 1:
        return signed ? 'signed char' : 'unsigned char';
      case 2:
        return `${sign}short`;
      case 4:
        return `${sign}int`;
      case 8:
        return `${sign}long long`;
      case 16:
        return this.#pointerSize === 8 ? `${sign}__int128` : null;
      default:
        return null;
    }
  }

  #find(id: TypeId): BaseType {
    const { types, strings } = this.#context;
    const size = types.third(id);
    const name = strings.text(types.name(id), MAX_NAME);
    const isInt = types.kind(id) === Kind.INT;
    const alignment = Math.max(1, Math.min(size, this.#pointerSize === 8 ? 16 : 4));
    // Before Linux 5.13, floating-point types were INTs.
    const isKnown = FLOATS.get(name) === size || (isInt && sizeOfInteger(name, this.#pointerSize) === size);
    const isScalar = isInt && !FLOATS.has(name);
    const signed = isInt && (types.at(types.elements(id)) & SIGNED) !== 0;
    const scalar = isScalar ? this.integer(size, signed) : floatOf(size);
    if (scalar !== null) return { isKnown, standIn: scalar, isScalar, alignment };
    let aligned = 1;
    while (size % (aligned * 2) === 0 && aligned * 2 <= Math.min(size, this.#pointerSize)) aligned *= 2;
    const standIn = `struct { unsigned char bytes[${size}]; } __attribute__((aligned(${aligned})))`;
    return { isKnown: false, standIn, isScalar: false, alignment: aligned };
  }
}

function floatOf(size: number): string | null {
  if (size === 4) return 'float';
  return size === 8 ? 'double' : null;
}

/** Returns the size of the integer type of C with a name such as `long unsigned int`; null if C has no such type. */
function sizeOfInteger(name: string, pointerSize: PointerSize): number | null {
  const words = name.split(' ', MOST_WORDS + 1);
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const count = (word: string): number => counts.get(word) ?? 0;
  const signs = count('signed') + count('unsigned');
  if (signs > 1 || words.length > MOST_WORDS) return null;
  const rest = words.length - signs;
  if (count('char') === 1 && rest === 1) return 1;
  if (count('_Bool') === 1 && words.length === 1) return 1;
  if (count('__int128') === 1 && rest === 1) return pointerSize === 8 ? 16 : null;
  const ints = count('int');
  if (ints > 1) return null;
  if (count('short') === 1 && rest === 1 + ints) return 2;
  if (count('long') === 2 && rest === 2 + ints) return 8;
  if (count('long') === 1 && rest === 1 + ints) return pointerSize;
  return rest === ints ? 4 : null;
}
