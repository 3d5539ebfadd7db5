import { Kind, type TypeId } from '../types.js';
import { type CContext, lineStart, writeNumbered, writeTag } from './c-context.js';

/** Words of one value of an ENUM: name, value. */
const ENUM_WORDS = 2;

/** Words of one value of an ENUM64: name, low and high word of the value. */
const ENUM64_WORDS = 3;

/** writeEnum writes `enum name { … }` for an ENUM or ENUM64, or `enum name` if it has no values. */
export function writeEnum(context: CContext, pointerSize: number, id: TypeId, level: number): void {
  const { types, out } = context;
  out.write('enum');
  writeTag(context, id);
  const count = types.vlen(id);
  if (count === 0) return;
  out.write(' {');
  const isWide = types.kind(id) === Kind.ENUM64;
  const signed = types.kindFlag(id);
  const indent = lineStart(level + 1);
  const words = isWide ? ENUM64_WORDS : ENUM_WORDS;
  const first = types.elements(id);
  let needsWords = false;
  for (let at = first; at < first + count * words; at += words) {
    const name = types.unsignedAt(at);
    const low = types.at(at + 1);
    out.write(indent);
    writeNumbered(out, name, context.names.ofEnumerator(name));
    out.write(' = ');
    if (isWide) {
      const high = types.at(at + 2);
      if (high !== 0) needsWords = true;
      out.write(wide(low, high, signed));
    } else {
      out.writeNumber(signed ? low : low >>> 0);
    }
    out.write(',');
  }
  out.write(lineStart(level));
  out.write('}');
  const size = types.third(id);
  if (size === 1) out.write(' __attribute__((mode(byte)))');
  // libbpf prints nothing for two bytes.
  if (size === 2) out.write(' __attribute__((mode(HI)))');
  // A value that needs 64 bits gives the enum that size without an attribute.
  if (size === 8 && pointerSize === 8 && !needsWords) out.write(' __attribute__((mode(word)))');
}

function wide(low: number, high: number, signed: boolean): string {
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return signed ? `${BigInt.asIntN(64, bits)}LL` : `${bits}ULL`;
}
