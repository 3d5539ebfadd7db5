import { BtfReadError, Kind, type Layout, layoutOf, resolve, type Spec, type TypeId } from '@btfd/btf';
import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { InOptions } from '../grammar/options.js';
import { drawLayout } from '../layout/draw-layout.js';
import { layoutData } from '../layout/layout-data.js';
import type { Session } from '../session/session.js';
import { idsNamed, noTypeNamed, typeIdOf, withoutKeyword } from '../source/chosen-types.js';
import { checkNames } from '../source/glob.js';
import { parseSpecRef } from '../source/spec-ref.js';

/** The kinds that have a layout, or can refer to a type that has one. */
const COMPOSITES = [Kind.STRUCT, Kind.UNION, Kind.TYPEDEF];

/** layout runs `btfctl layout`. */
export async function layout(session: Session, names: readonly string[], options: InOptions): Promise<void> {
  checkNames(names);
  const source = await session.source(parseSpecRef(options.in), options.base);
  const spec = await source.spec();
  const layouts = names
    .flatMap((name) => compositeIds(spec, name, source.label))
    .map((id) => layoutOf(spec, id));
  await session.show({
    data: layouts.map(layoutData),
    names: layouts.map(({ name }) => name),
    text: () => layouts.map((one) => drawLayout(one, session, isRepeated(one, layouts))).join('\n'),
  });
}

/** Whether another layout is that of a type of the same name, so that only the id distinguishes them. */
function isRepeated({ name, typeId }: Layout, layouts: readonly Layout[]): boolean {
  return layouts.some((other) => other.name === name && other.typeId !== typeId);
}

function compositeIds(spec: Spec, name: string, label: string): TypeId[] {
  const { name: bare, keyword, kinds: named } = withoutKeyword(name);
  const kinds = named ?? COMPOSITES;
  const ids = idsNamed(spec, bare);
  const wanted = typeIdOf(bare) === null ? ids.filter((id) => kinds.includes(spec.kindOf(id))) : ids;
  const composites = [...new Set(wanted.flatMap((id) => compositeOf(spec, id)))];
  if (composites.length > 0) return composites;
  if (ids.length === 0) {
    throw noTypeNamed(spec, bare, label, kinds);
  }
  const declared = ids.every((id) => spec.kindOf(id) === Kind.FWD);
  const what = declared ? 'declared, but not defined here' : `not a ${keyword ?? 'struct or union'}`;
  throw new CliError(ExitCode.NOT_FOUND, `${JSON.stringify(bare)} is ${what}`);
}

/** Returns the struct or union that a type is or resolves to. */
function compositeOf(spec: Spec, id: TypeId): TypeId[] {
  try {
    const type = resolve(spec, id);
    return type.kind === 'STRUCT' || type.kind === 'UNION' ? [type.id] : [];
  } catch (error) {
    if (error instanceof BtfReadError) return [];
    throw error;
  }
}
