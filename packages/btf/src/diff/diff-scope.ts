import type { NameTest } from '../query/glob.js';
import { postorder } from '../query/postorder.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { DIFF_KINDS, type DiffKind } from './diff-kinds.js';

/** DiffSelection chooses the types to compare. */
export interface DiffSelection {
  /** Chooses types by name. Default: all types. */
  readonly named?: NameTest | undefined;
  /** The kinds to compare. Default: all kinds. */
  readonly kinds?: readonly DiffKind[] | undefined;
  /** Whether to also compare the types that these refer to, including types of the base. Default: false. */
  readonly closure?: boolean | undefined;
}

/** DiffScope lists the types of a spec to compare: named types, and anonymous enums. */
export type DiffScope = (spec: Spec) => Iterable<TypeId>;

/** Types between two pauses: a millisecond or two. */
const STEP_TYPES = 2_048;

/** scopeSteps returns the types of two specs to compare, in steps. Types of a base are only compared with `closure`. */
export function* scopeSteps(a: Spec, b: Spec, selection: DiffSelection): Generator<null, DiffScope, void> {
  const { named, kinds, closure = false } = selection;
  const isKind = (kind: DiffKind): boolean => kinds === undefined || kinds.includes(kind);
  if (!closure) {
    return (spec) => idsFrom(spec, spec.firstTypeId, (kind, name) => isKind(kind) && (named?.(name) ?? true));
  }
  // The keys of both: a type that only one side refers to is compared if both have it, and not reported as removed.
  const keys = new Set<string>();
  let steps = 0;
  for (const spec of [a, b]) {
    for (const each of keysOf(spec, named)) {
      keys.add(each);
      steps += 1;
      if (steps % STEP_TYPES === 0) yield null;
    }
  }
  return (spec) =>
    idsFrom(spec, 1, (kind, name, id) => {
      if (!isKind(kind)) return false;
      return name === '' ? id >= spec.firstTypeId && (named?.(name) ?? true) : keys.has(key(kind, name));
    });
}

function* keysOf(spec: Spec, named: NameTest | undefined): Generator<string, void, undefined> {
  const roots = idsFrom(spec, spec.firstTypeId, (_, name) => named?.(name) ?? true);
  for (const id of postorder(spec, roots)) {
    const kind = DIFF_KINDS.get(spec.kindOf(id));
    if (kind !== undefined) yield key(kind, spec.nameOf(id));
  }
}

function key(kind: DiffKind, name: string): string {
  return `${kind} ${name}`;
}

/** Iterates over named types and anonymous enums, whose constants are global names in C. */
function* idsFrom(
  spec: Spec,
  first: TypeId,
  isWanted: (kind: DiffKind, name: string, id: TypeId) => boolean,
): Generator<TypeId, void, undefined> {
  for (const id of spec.typeIds(first)) {
    const kind = DIFF_KINDS.get(spec.kindOf(id));
    if (kind === undefined) continue;
    const name = spec.nameOf(id);
    if ((name !== '' || kind === 'enum') && isWanted(kind, name, id)) yield id;
  }
}
