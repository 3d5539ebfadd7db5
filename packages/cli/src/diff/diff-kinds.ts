import type { DiffKind, Kind } from '@btfd/btf';

/** DIFF_KINDS are the kinds that `diffSpecs` compares. Here, because no grammar loads the format. */
export const DIFF_KINDS = {
  struct: true,
  union: true,
  enum: true,
  typedef: true,
  func: true,
  var: true,
  datasec: true,
  int: true,
  float: true,
} satisfies Record<DiffKind, true>;

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
