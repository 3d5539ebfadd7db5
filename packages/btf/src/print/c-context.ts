import type { TypeId } from '../types.js';
import type { StringBytes } from './string-bytes.js';
import type { TextOutput } from './text-output.js';
import type { TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/** CNaming numbers types and constants that have the same name in C, from 1. */
export interface CNaming {
  /** ofTag returns the number of a named STRUCT, UNION, ENUM, ENUM64 or FWD. */
  ofTag(id: TypeId): number;
  /** ofTypedef returns the number of a TYPEDEF. */
  ofTypedef(id: TypeId): number;
  /** ofEnumerator returns the number of a constant, given the offset of its name. */
  ofEnumerator(name: number): number;
}

/** CContext is the state that the parts of the C printer share during one run. */
export interface CContext {
  readonly types: TypeWords;
  readonly strings: StringBytes;
  readonly names: CNaming;
  readonly out: TextOutput;
  readonly work: WorkLimit;
}

/** Define writes the body of a struct, union or enum at a level of indentation. */
export type Define = (id: TypeId, level: number) => void;

/** The deepest indentation. Deeper text is still correct C, but a line must not grow with its depth. */
const MAX_INDENT = 13;

const INDENTS = /* @__PURE__ */ Array.from(
  { length: MAX_INDENT + 1 },
  (_, level) => `\n${'\t'.repeat(level)}`,
);

/** lineStart returns a line break and the indentation of a level. */
export function lineStart(level: number): string {
  return INDENTS[Math.min(level, MAX_INDENT)] ?? '\n';
}

/** writeTag writes the name of a struct, union or enum after its keyword, or nothing for an anonymous one. */
export function writeTag({ types, names, out }: CContext, id: TypeId): void {
  const name = types.name(id);
  if (name === 0) return;
  out.write(' ');
  writeNumbered(out, name, names.ofTag(id));
}

/** writeNumbered writes the name at a string offset, with its number unless the number is 1. */
export function writeNumbered(out: TextOutput, name: number, number: number): void {
  out.writeName(name);
  if (number === 1) return;
  out.write('___');
  out.writeNumber(number);
}
