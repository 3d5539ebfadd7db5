import { setImmediate } from 'node:timers/promises';
import {
  declarationOf,
  isGlob,
  Kind,
  type KindRow,
  KINDS,
  nearTypeNames,
  sizeof,
  type Spec,
  type TypeId,
} from '@btfd/btf';
import type { HandleInfo } from '@btfd/client';
import { type CliError, notFound } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { explainError } from '../error/explain-error.js';
import type { FindOptions } from '../grammar/find.js';
import { grouped } from '../output/numbers.js';
import { type Column, formatTable } from '../output/table.js';
import type { Session } from '../session/session.js';
import { idsNamed, typeIdOf, withoutKeyword } from '../source/chosen-types.js';
import { everySpec } from '../source/every-spec.js';
import { checkNames } from '../source/glob.js';
import { noteUnknown } from '../source/source.js';
import { objectName, parseSpecRef } from '../source/spec-ref.js';

interface Match {
  readonly object: string;
  readonly id: TypeId;
  readonly kind: number;
  readonly name: string;
  readonly size: number | null;
  readonly declaration: string;
}

/** find runs `btfctl find`. */
export async function find(
  session: Session,
  names: readonly string[],
  options: FindOptions,
): Promise<number> {
  checkNames(names);
  const matches: Match[] = [];
  const missing = new Set(names);
  let firstSpec: Spec | null = null;
  for await (const [object, spec] of specsOf(session, options)) {
    firstSpec ??= spec;
    const ids = new Set<TypeId>();
    for (const name of names) {
      // Every module has the ids of vmlinux too.
      const first = options.in === undefined ? spec.firstTypeId : 1;
      const { name: bare, kinds } = withoutKeyword(name);
      const named = idsNamed(spec, bare).filter(
        (id) => id >= first && isWanted(spec, id, options.kind) && (kinds?.includes(spec.kindOf(id)) ?? true),
      );
      if (named.length > 0) missing.delete(name);
      for (const id of named) ids.add(id);
    }
    for (const id of [...ids].toSorted((a, b) => a - b)) matches.push(matchOf(object, spec, id));
  }
  if (matches.length === 0) throw noType([...missing], options, firstSpec);
  await session.show({
    data: matches.map(({ object, id, kind, name, size, declaration }) => ({
      object,
      id,
      kind: KIND_NAMES.get(kind) ?? 'UNKNOWN',
      name,
      ...(size === null ? {} : { size }),
      declaration,
    })),
    names: [...new Set(matches.map(({ name }) => name))],
    text: (wide) => findText(matches, wide, session),
  });
  if (missing.size === 0) return ExitCode.OK;
  session.warn(noType([...missing], options, null).message);
  return ExitCode.NOT_FOUND;
}

function noType(names: readonly string[], { kind, in: where }: FindOptions, spec: Spec | null): CliError {
  const ids = names.every((name) => typeIdOf(name) !== null);
  const word = ids ? 'with id' : 'named';
  const what = `${kind ?? 'type'} ${word} ${names.join(', ')}`;
  return notFound(
    `there is no ${what}${where === undefined ? '' : ` in ${where}`}${spec === null ? '' : meant(spec, names)}`,
    ids ? null : 'a glob matches more names: `btfctl find "*NAME*"`',
  );
}

/** Returns the names of the first object that names may have been meant to be, as `layout` suggests them. */
function meant(spec: Spec, names: readonly string[]): string {
  const near = names.flatMap((text) => {
    const { name, kinds } = withoutKeyword(text);
    return isGlob(name) || typeIdOf(name) !== null ? [] : nearTypeNames(spec, name, { kinds, firstId: 1 });
  });
  return near.length === 0 ? '' : `; did you mean ${near.map((one) => JSON.stringify(one)).join(' or ')}?`;
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
  const local = await session.localKernel();
  const unreadable = (info: HandleInfo, error: unknown): void =>
    session.warn(`skipped ${objectName(info)}: ${explainError(error).message}`);
  if (local !== null) {
    for (const info of local.objects()) {
      await setImmediate();
      session.interrupted.throwIfAborted();
      try {
        yield [info.name, await local.source({ kind: 'name', name: info.name }, null).spec()];
      } catch (error) {
        unreadable(info, error);
      }
    }
    return;
  }
  for await (const { info, spec } of everySpec(await session.client(), session, unreadable)) {
    noteUnknown(spec.notes, objectName(info), session.noteOnce);
    yield [objectName(info), spec];
  }
}

function isWanted(spec: Spec, id: TypeId, kind: string | undefined): boolean {
  const word = kindWord(spec.kindOf(id));
  // As in diff, where a 64-bit enum counts as an enum.
  return kind === undefined || word === kind || (kind === 'enum' && word === 'enum64');
}

function matchOf(object: string, spec: Spec, id: TypeId): Match {
  return {
    object,
    id,
    kind: spec.kindOf(id),
    name: spec.nameOf(id),
    size: sizeOrNull(spec, id),
    declaration: declarationOrName(spec, id),
  };
}

const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Kind).map(([name, number]) => [number, name]),
);

function kindWord(kind: number): string {
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

function findText(matches: readonly Match[], wide: boolean, { width, colors }: Session): string {
  const columns: Column[] = [
    { heading: 'OBJECT', shrinks: true },
    { heading: 'ID', align: 'right' },
    { heading: 'KIND' },
    { heading: 'NAME', shrinks: true, color: colors.name },
    { heading: 'BYTES', align: 'right' },
    ...(wide ? [{ heading: 'DECLARATION', shrinks: true }] : []),
  ];
  const rows = matches.map(({ object, id, kind, name, size, declaration: text }) => [
    object,
    String(id),
    kindWord(kind),
    name,
    size === null ? '-' : grouped(size),
    text,
  ]);
  return formatTable(columns, rows, { width, colors });
}
