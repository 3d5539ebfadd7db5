import type { DiffKind, Kind } from '@btfd/btf';

/** COMPARED has the kinds that `diffSpecs` compares. */
const COMPARED: Readonly<Record<DiffKind, true>> = {
  struct: true,
  union: true,
  enum: true,
  typedef: true,
  func: true,
  var: true,
  datasec: true,
  int: true,
  float: true,
};

/** compared returns what a kind counts as when types are compared; null for kinds that are not compared. */
export function compared(kind: KindWord): DiffKind | null {
  const word = kind === 'enum64' ? 'enum' : kind;
  return isCompared(word) ? word : null;
}

function isCompared(word: string): word is DiffKind {
  return Object.hasOwn(COMPARED, word);
}

/** KIND_WORDS are the kinds of types that have names, in lower case. */
export const KIND_WORDS = [
  'struct',
  'union',
  'enum',
  'enum64',
  'typedef',
  'func',
  'var',
  'datasec',
  'int',
  'float',
  'fwd',
  'decl_tag',
  'type_tag',
] as const satisfies readonly Lowercase<keyof typeof Kind>[];

/** KindWord is one of {@link KIND_WORDS}. */
export type KindWord = (typeof KIND_WORDS)[number];
