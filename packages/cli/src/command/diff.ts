import { type DiffKind, type DiffSelection, diffSpecs, type NameTest, type Spec } from '@btfd/btf';
import { diffData } from '../diff/diff-data.js';
import { compared, type KindWord } from '../diff/diff-kinds.js';
import { diffNames, diffText, type Sides } from '../diff/diff-text.js';
import { notFound, usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { DiffOptions } from '../grammar/diff.js';
import type { Session } from '../session/session.js';
import { typeIdOf } from '../source/chosen-types.js';
import { nameTest } from '../source/glob.js';
import { parseSpecRef } from '../source/spec-ref.js';

/** diff runs `btfctl diff`. */
export async function diff(session: Session, a: string, b: string, options: DiffOptions): Promise<number> {
  const selection = selectionOf(options);
  const [baseOfA, baseOfB] = basesOf(options);
  const specOf = async (text: string, base: string | undefined): Promise<Spec> =>
    (await session.source(parseSpecRef(text), base)).spec();
  const [from, to] = await Promise.all([specOf(a, baseOfA), specOf(b, baseOfB)]);
  const result = diffSpecs(from, to, selection);
  const { added, removed, changed, same } = result;
  const isPart = selection.named !== undefined || selection.kinds !== undefined;
  if (isPart && added.length + removed.length + changed.length + same === 0) {
    throw notFound(
      `neither ${a} nor ${b} has types that match`,
      'a glob matches more types: --type "*NAME*"',
    );
  }
  const sides: Sides = { a, b };
  await session.show({
    data: diffData(sides, result),
    names: diffNames(result),
    text: () => diffText(sides, result, session.colors),
  });
  return added.length + removed.length + changed.length === 0 ? ExitCode.OK : ExitCode.DIFFERENT;
}

function selectionOf({ type = [], kind, closure = false }: DiffOptions): DiffSelection {
  checkTypeNames(type);
  const tests = type.map(nameTest);
  const named: NameTest = (name) => tests.some((test) => test(name));
  return {
    ...(tests.length > 0 && { named }),
    ...(kind !== undefined && { kinds: [comparedKind(kind)] }),
    closure,
  };
}

/** comparedKind returns what a kind counts as. @throws CliError USAGE for kinds that are not compared. */
export function comparedKind(kind: KindWord): DiffKind {
  const word = compared(kind);
  if (word !== null) return word;
  throw usageError(
    `diff does not compare types of the kind ${kind}`,
    kind === 'fwd' ? null : 'tags count as a part of the types that have them',
  );
}

/** checkTypeNames checks the names of `--type`. @throws CliError USAGE for the id of a type. */
export function checkTypeNames(names: readonly string[]): void {
  const id = names.find((name) => typeIdOf(name) !== null);
  if (id === undefined) return;
  throw usageError(`--type ${id} is a type id, but diff matches types by name`, 'use the name of the type');
}

function basesOf({ base: [ofA, ofB = ofA, ...more] = [] }: DiffOptions): (string | undefined)[] {
  if (more.length > 0) throw usageError('too many --base options: use one for A and one for B');
  return [ofA, ofB];
}
