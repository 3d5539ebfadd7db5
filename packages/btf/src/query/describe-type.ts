import type { Type } from '../types.js';

/** describeType names a type for a message, as C does where C can: `struct file`, `anonymous union`, `PTR`. */
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
