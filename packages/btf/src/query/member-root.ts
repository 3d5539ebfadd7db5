import type { Spec } from '../spec.js';
import { Kind, type Type, type TypeId } from '../types.js';
import { describeType, resolveId } from './resolve.js';
import { MemberPathError } from './member-path.js';
import type { ResolveOptions } from './member-place.js';
import { idsOfKind } from './names.js';
import { nearTypeNames } from './near-names.js';

const KINDS = [Kind.STRUCT, Kind.UNION, Kind.TYPEDEF];

/**
 * Maximum number of types of one name. A kernel has a handful, and each may need a long chain of typedefs to resolve.
 */
const MAX_CANDIDATES = 1024;

/**
 * rootOfPath finds the type that a path starts with, by its name: a struct, a union or the type that a typedef stands for. A
 * struct and a typedef of it with the same name count as one type.
 *
 * @throws MemberPathError `NOT_FOUND` if there is no such type.
 * @throws MemberPathError `AMBIGUOUS` if there are several.
 * @throws BtfFormatError if a typedef of the name cannot be resolved; see `resolve`.
 */
export function rootOfPath(
  spec: Spec,
  name: string,
  kind: 'STRUCT' | 'UNION' | null,
  { onLooks, suggest = true }: ResolveOptions,
): Type {
  const kinds: readonly number[] = kind === null ? KINDS : [Kind[kind]];
  const named = spec.idsByName(name);
  onLooks?.(named.length);
  const ids = named.filter((id) => kinds.includes(spec.kindOf(id)));
  if (ids.length > MAX_CANDIDATES) {
    throw new MemberPathError('AMBIGUOUS', name, `${ids.length} types have this name`, -1);
  }
  const roots = new Map<TypeId, Type>();
  const declared = new Map<TypeId, Type>();
  // Each root is decoded once, however many typedefs stand for it.
  for (const rootId of new Set(ids.map((id) => resolveId(spec, id)))) {
    const root = spec.typeById(rootId);
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
      suggest ? nearTypeNames(spec, name, { kinds }) : [],
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
 * definitionOf returns the struct or union that a forward declaration declares, if the spec has exactly one of its
 * name. It returns any other type as it is.
 */
export function definitionOf(spec: Spec, type: Type): Type {
  if (type.kind !== 'FWD' || type.name === '') return type;
  const [id, ...others] = idsOfKind(spec, type.name, type.union ? 'UNION' : 'STRUCT');
  return id === undefined || others.length > 0 ? type : spec.typeById(id);
}
