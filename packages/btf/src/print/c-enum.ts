import type { PointerSize } from '../query/pointer-size.js';
import { Kind, type TypeId } from '../types.js';
import { type CContext, lineStart, writeNumbered, writeTag } from './c-context.js';
import { ENUM64_WORDS, ENUM_WORDS, type TypeWords } from './type-words.js';

/** The sizes for which C has an integer. */
const SIZES: ReadonlySet<number> = new Set([1, 2, 4, 8]);

/**
 * enumAttribute returns the attribute that gives an ENUM or ENUM64 its size in C: empty if its values do. Returns null if
 * C has no enum of that size with these values, or if it has no values.
 */
export function enumAttribute(types: TypeWords, id: TypeId, pointerSize: PointerSize): string | null {
  if (types.vlen(id) === 0) return null;
  const size = types.third(id);
  const { least, most } = boundsOf(types, id);
  const fits = (bits: number): boolean =>
    bits === 64 || (least >= 0 ? most < 2 ** bits : least >= -(2 ** (bits - 1)) && most < 2 ** (bits - 1));
  if (!SIZES.has(size) || !fits(size * 8)) return null;
  if ((fits(32) ? 4 : 8) === size) return '';
  switch (size) {
    case 1:
      return ' __attribute__((mode(byte)))';
    case 2:
      // libbpf prints nothing for two bytes.
      return ' __attribute__((mode(HI)))';
    default:
      return pointerSize === 8 ? ' __attribute__((mode(word)))' : ' __attribute__((mode(DI)))';
  }
}

/**
 * writeEnum writes `enum name { … }` for an ENUM or ENUM64, or `enum name` if it has no values. If C has no enum of its
 * size, only the constants are written.
 */
export function writeEnum(context: CContext, id: TypeId, level: number): void {
  const { types, out, compiler } = context;
  const count = types.vlen(id);
  const attribute = compiler.layouts.enumAttribute(id);
  out.write('enum');
  if (attribute !== null || count === 0) writeTag(context, id);
  else out.write(' /* C has no such enum of its size */');
  if (count === 0) return;
  out.write(' {');
  const isWide = types.kind(id) === Kind.ENUM64;
  const signed = types.kindFlag(id);
  const indent = lineStart(level + 1);
  const words = isWide ? ENUM64_WORDS : ENUM_WORDS;
  const first = types.elements(id);
  for (let at = first; at < first + count * words; at += words) {
    const name = types.unsignedAt(at);
    const low = types.at(at + 1);
    out.write(indent);
    writeNumbered(context, name, context.names.ofEnumerator(name));
    out.write(' = ');
    if (isWide) out.write(wide(low, types.at(at + 2), signed));
    else out.writeNumber(signed ? low : low >>> 0);
    out.write(',');
  }
  out.write(lineStart(level));
  out.write('}');
  if (attribute !== null) out.write(attribute);
}

/** Returns the least and the largest value, as numbers that are exact enough to compare with powers of two. */
function boundsOf(types: TypeWords, id: TypeId): { readonly least: number; readonly most: number } {
  const isWide = types.kind(id) === Kind.ENUM64;
  const signed = types.kindFlag(id);
  const words = isWide ? ENUM64_WORDS : ENUM_WORDS;
  const first = types.elements(id);
  let least = Infinity;
  let most = -Infinity;
  for (let at = first; at < first + types.vlen(id) * words; at += words) {
    const low = types.at(at + 1);
    const high = types.at(at + 2);
    const word = signed && !isWide ? low : low >>> 0;
    const value = isWide ? (signed ? high : high >>> 0) * 2 ** 32 + word : word;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

function wide(low: number, high: number, signed: boolean): string {
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return signed ? `${BigInt.asIntN(64, bits)}LL` : `${bits}ULL`;
}
