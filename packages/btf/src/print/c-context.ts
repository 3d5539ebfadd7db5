import type { TypeId } from '../types.js';
import type { CBaseTypes } from './c-base-types.js';
import type { CLayouts } from './c-layouts.js';
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

/** CCompiler is what a text for a compiler needs: names and types that C has, with the sizes of the BTF. */
export interface CCompiler {
  readonly baseTypes: CBaseTypes;
  readonly layouts: CLayouts;
}

/** CNameContext is the state of a {@link CDeclarator}, which also writes names of types that are not for a compiler. */
export interface CNameContext {
  readonly types: TypeWords;
  readonly strings: StringBytes;
  readonly names: CNaming;
  readonly out: TextOutput;
  readonly work: WorkLimit;
  readonly compiler: CCompiler | null;
  /** Whether to write qualifiers and type tags. */
  readonly qualified: boolean;
}

/** CContext is the state that the parts of the C printer share during one run. */
export interface CContext extends CNameContext {
  readonly compiler: CCompiler;
}

/** Define writes a struct, union or enum with its body, at a level of indentation. */
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
export function writeTag(context: CNameContext, id: TypeId): void {
  const { types, names, out } = context;
  const name = types.name(id);
  if (name === 0) return;
  out.write(' ');
  writeNumbered(context, name, names.ofTag(id));
}

/** writeNumbered writes the name at a string offset, with its number unless the number is 1. */
export function writeNumbered({ out, compiler }: CNameContext, name: number, number: number): void {
  if (compiler !== null) out.writeIdentifier(name);
  else out.writeName(name);
  if (number === 1) return;
  out.write('___');
  out.writeNumber(number);
}
