import type { Type } from '../types.js';

/**
 * describeType returns words for a type in a message, those of C if C has any: `struct file`, `anonymous union`, `PTR`.
 */
export function describeType(type: Type): string {
  const kind = CONCISE.get(type.kind) ?? type.kind;
  if (type.name !== '') return `${kind} ${type.name}`;
  return CONCISE.has(type.kind) ? `anonymous ${kind}` : kind;
}

const CONCISE = new Map<Type['kind'], string>([
  ['STRUCT', 'struct'],
  ['UNION', 'union'],
  ['ENUM', 'enum'],
  ['ENUM64', 'enum'],
  ['TYPEDEF', 'typedef'],
]);
