import type { Kind } from '@btfd/btf';

/** DIFF_KINDS are the kinds that are compared, in the order of the output. The other kinds only refer to types or annotate them. */
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
