import type { Kind } from '@btfd/btf';

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
