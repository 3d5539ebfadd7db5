import type { Kind } from '@btfd/btf';

/** DIFF_KINDS are the kinds that are compared, in the order in which they are listed; what is left out only refers or annotates. */
export const DIFF_KINDS = [
  'struct',
  'union',
  'enum',
  'typedef',
  'func',
  'var',
  'datasec',
  'int',
  'float',
] as const satisfies readonly Lowercase<keyof typeof Kind>[];

/** DiffKind is one of {@link DIFF_KINDS}. */
export type DiffKind = (typeof DIFF_KINDS)[number];

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
] as const satisfies readonly Lowercase<keyof typeof Kind>[];
