import type { Spec } from '@btfd/btf';
import { diffData } from '../diff/diff-data.js';
import type { DiffKind } from '../diff/diff-kinds.js';
import type { DiffWish } from '../diff/diff-scope.js';
import { diffSpecs } from '../diff/diff-specs.js';
import { diffText, type Sides, typeName } from '../diff/diff-text.js';
import { notFound, usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { nameTest } from '../source/glob.js';
import type { Session } from '../session/session.js';
import { parseSpecRef } from '../source/spec-ref.js';

interface DiffOptions {
  readonly type?: readonly string[];
  readonly kind?: DiffKind;
  readonly base?: readonly string[];
  readonly closure?: boolean;
}

/** diff is what `btfctl diff` does. */
export async function diff(session: Session, a: string, b: string, options: DiffOptions): Promise<number> {
  const wish = wishOf(options);
  const [baseOfA, baseOfB] = basesOf(options);
  const specOf = async (text: string, base: string | undefined): Promise<Spec> =>
    (await session.source(parseSpecRef(text), base)).spec();
  const [from, to] = await Promise.all([specOf(a, baseOfA), specOf(b, baseOfB)]);
  const result = diffSpecs(from, to, wish);
  const { added, removed, changed, same } = result;
  const isPart = wish.named !== null || wish.kind !== null;
  if (isPart && added.length + removed.length + changed.length + same === 0) {
    throw notFound(`neither ${a} nor ${b} has types to compare`, '--type takes globs: --type "*name*"');
  }
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
  return added.length + removed.length + changed.length === 0 ? ExitCode.OK : ExitCode.DIFFERENT;
}

function wishOf({ type = [], kind, closure = false }: DiffOptions): DiffWish {
  const tests = type.map(nameTest);
  const named = tests.length === 0 ? null : (name: string) => tests.some((test) => test(name));
  return { named, kind: kind ?? null, closure };
}

function basesOf({ base: [ofA, ofB = ofA, ...more] = [] }: DiffOptions): (string | undefined)[] {
  if (more.length > 0) throw usageError('there are two sides, and so two --base at most');
  return [ofA, ofB];
}
