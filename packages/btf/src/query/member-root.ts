import type { Spec } from '../spec.js';
import type { Type, TypeId } from '../types.js';
import { describeType } from './describe-type.js';
import { MemberPathError } from './member-path-error.js';
import { typesByName } from './names.js';
import { resolve } from './resolve.js';

const KINDS = ['STRUCT', 'UNION', 'TYPEDEF'] as const;

/**
 * rootOfPath finds the type that a path starts in by its name: a struct, a union or what a typedef stands for.
 * A struct and a typedef of it that share a name are one.
 *
 * @throws MemberPathError `NOT_FOUND`, `AMBIGUOUS`.
 */
export function rootOfPath(spec: Spec, name: string, kind: 'STRUCT' | 'UNION' | null): Type {
  const roots = new Map<TypeId, Type>();
  const declared = new Map<TypeId, Type>();
  for (const type of typesByName(spec, name)) {
    const wanted = kind === null ? KINDS.some((of) => of === type.kind) : type.kind === kind;
    if (!wanted) continue;
    const root = resolve(spec, type.id);
    (root.kind === 'FWD' ? declared : roots).set(root.id, root);
  }
  const found = roots.size === 0 ? declared : roots;
  const [root] = found.values();
  if (root === undefined) {
    throw new MemberPathError(
      'NOT_FOUND',
      name,
      `no ${kind?.toLowerCase() ?? 'struct, union or typedef'} of this name`,
      -1,
    );
  }
  if (found.size > 1) {
    const list = [...found.values()].slice(0, 8).map((type) => `${describeType(type)} (type id ${type.id})`);
    const message = `${found.size} types have this name: ${list.join(', ')}`;
    throw new MemberPathError('AMBIGUOUS', name, message, -1);
  }
  return definitionOf(spec, root);
}

/**
 * definitionOf is the struct or union that a forward declaration declares, where the spec has exactly one of
 * its name. Any other type is its own answer.
 */
export function definitionOf(spec: Spec, type: Type): Type {
  if (type.kind !== 'FWD' || type.name === '') return type;
  const definitions = typesByName(spec, type.name, type.union ? 'UNION' : 'STRUCT');
  const [definition] = definitions;
  return definition === undefined || definitions.length > 1 ? type : definition;
}
