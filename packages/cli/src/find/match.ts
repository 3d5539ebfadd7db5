import { declarationOf, Kind, type KindRow, KINDS, sizeof, type Spec, type TypeId } from '@btfd/btf';

/** Match is a type that was found. */
export interface Match {
  readonly object: string;
  readonly id: TypeId;
  /** The kind's number. */
  readonly kind: number;
  readonly name: string;
  /** Bytes; null for types without a size. */
  readonly size: number | null;
  readonly declaration: string;
}

/** matchOf returns the row for a type of an object. */
export function matchOf(object: string, spec: Spec, id: TypeId): Match {
  return {
    object,
    id,
    kind: spec.kindOf(id),
    name: spec.nameOf(id),
    size: sizeOrNull(spec, id),
    declaration: declarationOrName(spec, id),
  };
}

/** matchData returns a match as data. */
export function matchData({ object, id, kind, name, size, declaration }: Match) {
  const kindName = KIND_NAMES.get(kind) ?? 'UNKNOWN';
  return { object, id, kind: kindName, name, ...(size === null ? {} : { size }), declaration };
}

/** isOfKind reports whether a type is of a kind that `--kind` names; true without one. */
export function isOfKind(spec: Spec, id: TypeId, kind: string | undefined): boolean {
  const word = kindWord(spec.kindOf(id));
  // As in diff, where a 64-bit enum counts as an enum.
  return kind === undefined || word === kind || (kind === 'enum' && word === 'enum64');
}

const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Kind).map(([name, number]) => [number, name]),
);

/** kindWord returns a kind as text shows it: in lower case. */
export function kindWord(kind: number): string {
  return KIND_NAMES.get(kind)?.toLowerCase() ?? `kind ${kind}`;
}

const ROWS: ReadonlyMap<string, KindRow> = new Map(Object.entries(KINDS));

/** The kinds without a size, and declaration tags: `sizeof` returns the size of the type that a tag annotates. */
const SIZELESS: ReadonlySet<number> = new Set(
  Object.entries(Kind).flatMap(([name, number]) =>
    ROWS.get(name)?.size === 'NONE' || number === Kind.DECL_TAG ? [number] : [],
  ),
);

function sizeOrNull(spec: Spec, id: TypeId): number | null {
  if (SIZELESS.has(spec.kindOf(id))) return null;
  try {
    return sizeof(spec, id);
  } catch {
    // For example a typedef of a function.
    return null;
  }
}

function declarationOrName(spec: Spec, id: TypeId): string {
  const kind = spec.kindOf(id);
  if (kind === Kind.DATASEC || kind === Kind.DECL_TAG) return spec.nameOf(id);
  return declarationOf(spec, id);
}
