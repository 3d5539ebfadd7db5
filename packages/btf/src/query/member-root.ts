import type { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import { describeType, resolveId } from './resolve.js';
import { MemberPathError } from './member-error.js';
import type { MemberPath } from './member-path.js';
import type { ResolveOptions } from './member-place.js';
import { idsOfKind } from './names.js';
import { nearTypeNames } from './near-names.js';

const KINDS = [Kind.STRUCT, Kind.UNION, Kind.TYPEDEF];

/**
 * Maximum number of types of one name. A kernel has a handful, and each may need a long chain of typedefs to resolve.
 */
const MAX_CANDIDATES = 1024;

/**
 * rootsOfPath returns the types that a path may start with: the structs and unions of its name, and the types that typedefs
 * of it stand for, each once. A path that starts with an id has one. Declarations only count if there is nothing else, and
 * lead to the definitions of their name.
 *
 * @throws MemberPathError `NO_SUCH_TYPE` or `NOT_A_STRUCT` if there is none; `AMBIGUOUS` if there are very many.
 * @throws BtfReadError if a typedef of the name cannot be resolved; see `resolve`.
 */
export function rootsOfPath(
  spec: Spec,
  { root: name, kind }: MemberPath,
  options: ResolveOptions,
): readonly TypeId[] {
  if (/^\d+$/.test(name)) return rootsOfId(spec, Number(name), kind, options);
  const kinds: readonly number[] = kind === null ? KINDS : [Kind[kind]];
  const named = spec.idsByName(name);
  options.onLooks?.(named.length);
  const ids = named.filter((id) => kinds.includes(spec.kindOf(id)));
  if (ids.length > MAX_CANDIDATES) {
    throw new MemberPathError('AMBIGUOUS', `${name}: ${ids.length} types have this name`);
  }
  if (ids.length === 0) throw noSuchType(spec, { root: name, kind }, kinds, named, options);
  // Each type is taken once, however many typedefs stand for it.
  const roots = [...new Set(ids.map((id) => resolveId(spec, id)))];
  const defined = roots.filter((id) => spec.kindOf(id) !== Kind.FWD);
  if (defined.length > 0) return defined;
  return [...new Set(roots.flatMap((id) => definitionsOf(spec, id, options)))];
}

/**
 * rootsOfId returns the types that a path may start with if it starts with an id.
 *
 * @throws MemberPathError `NO_SUCH_TYPE` if there is no such id, or if the type is not of the kind.
 * @throws BtfReadError if the type cannot be resolved; see `resolve`.
 */
export function rootsOfId(
  spec: Spec,
  id: TypeId,
  kind: MemberPath['kind'],
  options: ResolveOptions,
): readonly TypeId[] {
  if (!Number.isInteger(id) || id < 0 || id >= spec.endTypeId) {
    const message = `no type with id ${id}: the largest id is ${spec.endTypeId - 1}`;
    throw new MemberPathError('NO_SUCH_TYPE', message);
  }
  const roots = definitionsOf(spec, resolveId(spec, id), options);
  if (kind === null || roots.some((root) => spec.kindOf(root) === Kind[kind])) return roots;
  const message = `${id}: this type is not a ${kind.toLowerCase()}: ${describeType(spec.typeById(id))}`;
  throw new MemberPathError('NO_SUCH_TYPE', message);
}

function noSuchType(
  spec: Spec,
  { root: name, kind }: Pick<MemberPath, 'root' | 'kind'>,
  kinds: readonly number[],
  named: readonly TypeId[],
  { suggest = true }: ResolveOptions,
): MemberPathError {
  const wanted = kind?.toLowerCase() ?? 'struct, union or typedef';
  const [other] = named;
  if (other === undefined) {
    const near = suggest ? nearTypeNames(spec, name, { kinds }) : [];
    return new MemberPathError('NO_SUCH_TYPE', `${name}: no ${wanted} of this name`, { near });
  }
  const declared = named.some((id) => spec.kindOf(id) === Kind.FWD);
  const found = `${describeType(spec.typeById(other))} (type id ${other})`;
  const message = `${name}: no ${wanted} of this name is defined here, only ${found}`;
  return new MemberPathError(declared || kind === null ? 'NOT_A_STRUCT' : 'NO_SUCH_TYPE', message);
}

/**
 * definitionsOf returns the structs or unions that a forward declaration declares: those of its name. It returns the
 * declaration itself if there is none, and any other type as it is.
 */
export function definitionsOf(spec: Spec, id: TypeId, { onLooks }: ResolveOptions): readonly TypeId[] {
  if (spec.kindOf(id) !== Kind.FWD) return [id];
  const type = spec.typeById(id);
  if (type.kind !== 'FWD' || type.name === '') return [id];
  const ids = idsOfKind(spec, type.name, type.union ? 'UNION' : 'STRUCT');
  onLooks?.(ids.length);
  return ids.length === 0 ? [id] : ids;
}
