import type { Spec } from '@btfd/btf';
import { diffData } from '../diff/diff-data.js';
import type { DiffKind } from '../diff/diff-kinds.js';
import { diffSpecs, type Wanted } from '../diff/diff-specs.js';
import { diffText, type Sides, typeName } from '../diff/diff-text.js';
import { ExitCode } from '../exit-code.js';
import { nameTest } from '../glob.js';
import type { Session } from '../session.js';
import { parseSpecRef } from '../source/spec-ref.js';

interface DiffOptions {
  readonly type?: readonly string[];
  readonly kind?: DiffKind;
  readonly base?: string;
}

/** diff is what `btfctl diff` does. */
export async function diff(session: Session, a: string, b: string, options: DiffOptions): Promise<number> {
  const isWanted = wanted(options);
  const specOf = async (text: string): Promise<Spec> =>
    (await session.source(parseSpecRef(text), options.base)).spec();
  const [from, to] = await Promise.all([specOf(a), specOf(b)]);
  const result = diffSpecs(from, to, isWanted);
  const sides: Sides = { a, b };
  await session.show({
    data: diffData(sides, result),
    names: [
      ...result.removed.map((type) => `- ${typeName(type)}`),
      ...result.added.map((type) => `+ ${typeName(type)}`),
      ...result.changed.map((type) => `~ ${typeName(type)}`),
    ],
    text: () => diffText(sides, result, session.colors),
  });
  const { added, removed, changed } = result;
  return added.length + removed.length + changed.length === 0 ? ExitCode.OK : ExitCode.DIFFERENT;
}

function wanted({ type = [], kind }: DiffOptions): Wanted {
  const globs = type.map(nameTest);
  return (ofKind, name) =>
    (kind === undefined || ofKind === kind) && (globs.length === 0 || globs.some((matches) => matches(name)));
}
