import { declarationOf, Kind, sizeof, type Spec, type TypeId } from '@btfd/btf';
import type { HandleInfo } from '@btfd/client';
import { notFound } from '../cli-error.js';
import { explainError } from '../explain-error.js';
import { checkNames } from '../glob.js';
import { objectName } from '../output/object-list.js';
import { formatTable, type Column } from '../output/table.js';
import type { Session } from '../session.js';
import { idsNamed } from '../source/chosen-types.js';
import { everySpec } from '../source/every-spec.js';
import { parseSpecRef } from '../source/spec-ref.js';

interface FindOptions {
  readonly in?: string;
  readonly base?: string;
  readonly kind?: string;
}

interface Found {
  readonly object: string;
  readonly id: TypeId;
  readonly kind: string;
  readonly name: string;
  readonly size: number | null;
  readonly declaration: string;
}

/** find is what `btfctl find` does. */
export async function find(session: Session, names: readonly string[], options: FindOptions): Promise<void> {
  checkNames(names);
  const found: Found[] = [];
  for await (const [object, spec] of specsOf(session, options)) {
    found.push(...foundIn(object, spec, names, options.kind));
  }
  if (found.length === 0) {
    const what = `${options.kind ?? 'type'} named ${names.join(', ')}`;
    throw notFound(`there is no ${what}${options.in === undefined ? '' : ` in ${options.in}`}`);
  }
  await session.show({
    data: found.map(({ object, id, kind, name, size, declaration }) => ({
      object,
      id,
      kind,
      name,
      ...(size === null ? {} : { size }),
      declaration,
    })),
    names: [...new Set(found.map(({ name }) => name))],
    text: (wide) => findText(found, wide, session),
  });
}

async function* specsOf(
  session: Session,
  { in: where, base }: FindOptions,
): AsyncGenerator<readonly [object: string, spec: Spec], void, undefined> {
  if (where !== undefined) {
    const source = await session.source(parseSpecRef(where), base);
    yield [source.label, await source.spec()];
    return;
  }
  const unreadable = (info: HandleInfo, error: unknown): void =>
    session.warn(`${objectName(info)} is left out: ${explainError(error).message}`);
  for await (const { info, spec } of everySpec(await session.client(), session, unreadable)) {
    yield [objectName(info), spec];
  }
}

function* foundIn(
  object: string,
  spec: Spec,
  names: readonly string[],
  kind: string | undefined,
): Generator<Found, void, undefined> {
  const ids = new Set(names.flatMap((name) => idsNamed(spec, name)));
  for (const id of [...ids].toSorted((a, b) => a - b)) {
    const word = kindWord(spec.kindOf(id));
    if (kind !== undefined && word !== kind) continue;
    yield {
      object,
      id,
      kind: word,
      name: spec.nameOf(id),
      size: sizeOrNull(spec, id),
      declaration: declarationOrName(spec, id),
    };
  }
}

const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Kind).map(([name, number]) => [number, name.toLowerCase()]),
);

function kindWord(kind: number): string {
  return KIND_NAMES.get(kind) ?? `kind ${kind}`;
}

const SIZELESS: ReadonlySet<number> = new Set([Kind.FUNC, Kind.FUNC_PROTO, Kind.FWD, Kind.DECL_TAG]);

function sizeOrNull(spec: Spec, id: TypeId): number | null {
  if (SIZELESS.has(spec.kindOf(id))) return null;
  try {
    return sizeof(spec, id);
  } catch {
    // A typedef of a function, say.
    return null;
  }
}

function declarationOrName(spec: Spec, id: TypeId): string {
  const kind = spec.kindOf(id);
  if (kind === Kind.DATASEC || kind === Kind.DECL_TAG) return spec.nameOf(id);
  return declarationOf(spec, id);
}

function findText(found: readonly Found[], wide: boolean, { width, colors }: Session): string {
  const columns: Column[] = [
    { heading: 'OBJECT', shrinks: true },
    { heading: 'ID', align: 'right' },
    { heading: 'KIND' },
    { heading: 'NAME', shrinks: true, color: colors.name },
    { heading: 'BYTES', align: 'right' },
    ...(wide ? [{ heading: 'DECLARATION', shrinks: true }] : []),
  ];
  const rows = found.map(({ object, id, kind, name, size, declaration: text }) => [
    object,
    String(id),
    kind,
    name,
    size === null ? '-' : size.toLocaleString('en-US'),
    text,
  ]);
  return formatTable(columns, rows, { width, colors });
}
