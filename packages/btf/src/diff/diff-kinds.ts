import { Kind } from '../types.js';

/** DiffKind is a kind of types that {@link diffSpecs} compares. The other kinds only refer to types or annotate them. */
export type DiffKind = 'struct' | 'union' | 'enum' | 'typedef' | 'func' | 'var' | 'datasec' | 'int' | 'float';

/** DIFF_KINDS are the kinds in BTF and what they count as, in the order of results. A 64-bit enum counts as an enum. */
export const DIFF_KINDS: ReadonlyMap<number, DiffKind> = new Map([
  [Kind.STRUCT, 'struct'],
  [Kind.UNION, 'union'],
  [Kind.ENUM, 'enum'],
  [Kind.ENUM64, 'enum'],
  [Kind.TYPEDEF, 'typedef'],
  [Kind.FUNC, 'func'],
  [Kind.VAR, 'var'],
  [Kind.DATASEC, 'datasec'],
  [Kind.INT, 'int'],
  [Kind.FLOAT, 'float'],
]);
