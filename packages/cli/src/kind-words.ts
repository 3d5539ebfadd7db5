import { Kind } from '@btfd/btf';

/** KIND_WORDS are the kinds that a named type can have, in lower case. */
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
] as const;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Kind).map(([name, number]) => [number, name.toLowerCase()]),
);

/** kindWordOf is a kind's word, by its number. */
export function kindWordOf(kind: number): string {
  return NAMES.get(kind) ?? `kind ${kind}`;
}
