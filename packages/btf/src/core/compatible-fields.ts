import { isComposite } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { type CoreTypes, isEnum, isSameKind, nameBytes } from './core-types.js';
import { refusal } from './refusal.js';
import type { LoaderRules } from './rules/loader-rules.js';

/** Arrays of arrays. Compilers and kernels stay far below it. */
const MAX_ARRAYS = 1024;

/**
 * fieldsCompatible reports whether a target member may stand for a local one: structs and unions for each other, pointers
 * for pointers, numbers for numbers, enums and declarations by their essential names. Sizes and signs do not matter.
 *
 * @throws a refusal if the loader gives up.
 */
export function fieldsCompatible(
  local: CoreTypes,
  localId: TypeId,
  target: CoreTypes,
  targetId: TypeId,
  rules: LoaderRules,
): boolean {
  let from = localId;
  let to = targetId;
  for (let arrays = 0; arrays < MAX_ARRAYS; arrays++) {
    from = local.skip(from);
    to = target.skip(to);
    const kind = local.kindOf(from);
    const targetKind = target.kindOf(to);
    if (isComposite(kind) && isComposite(targetKind)) return true;
    if (!isSameKind(kind, targetKind)) return false;
    if (kind === Kind.PTR || kind === Kind.FLOAT) return true;
    if (kind === Kind.INT) return local.intOf(from).bitOffset === 0 && target.intOf(to).bitOffset === 0;
    if (isEnum(kind) || kind === Kind.FWD) {
      return essentiallyEqual(local.nameOf(from), target.nameOf(to), rules, true);
    }
    if (kind !== Kind.ARRAY) {
      if (rules.elements === 'WITH_ARRAY') return false;
      throw refusal(`fields of the kind of type id ${from} cannot be relocated`);
    }
    if (rules.elements === 'WHEN_ACCESSED') return true;
    from = local.arrayOf(from).typeId;
    to = target.arrayOf(to).typeId;
  }
  throw refusal(`type id ${localId} is more than ${MAX_ARRAYS} arrays within each other`);
}

/** elementsNamed finds the members or values with the name of a local one, but for flavours. */
export function* elementsNamed(
  types: CoreTypes,
  id: TypeId,
  name: string,
  rules: LoaderRules,
): Generator<number, void, undefined> {
  const essential = nameBytes(name.slice(0, rules.essentialLength(name)));
  const next = (from: number): number => types.nextBeginning(id, from, essential);
  for (let at = next(0); at >= 0; at = next(at + 1)) {
    if (essentiallyEqual(name, types.elementName(id, at), rules, false)) yield at;
  }
}

/** essentiallyEqual compares two names without their flavours. An anonymous type may match a named one. */
export function essentiallyEqual(
  a: string,
  b: string,
  { essentialLength }: LoaderRules,
  anonymousMatchesNamed: boolean,
): boolean {
  if (a === '' || b === '') return anonymousMatchesNamed || a === b;
  const length = essentialLength(a);
  return essentialLength(b) === length && b.startsWith(a.slice(0, length));
}
