import type { Spec } from '@btfd/btf';
import { Command, Option } from 'commander';
import { diffData } from '../diff/diff-data.js';
import { DIFF_KINDS, diffSpecs, type Wanted } from '../diff/diff-specs.js';
import { diffText, type Sides, typeName } from '../diff/diff-text.js';
import { ExitCode } from '../exit-code.js';
import { compileGlob } from '../glob.js';
import type { Run } from '../run.js';
import type { Session } from '../session.js';
import { parseSpecRef, SPEC_HELP } from '../source/spec-ref.js';
import { typeOption } from './dump.js';
import { baseOption } from './in-option.js';

interface DiffOptions {
  readonly type?: readonly string[];
  readonly kind?: (typeof DIFF_KINDS)[number];
  readonly base?: string;
}

/** diffCommand is `btfctl diff`. */
export function diffCommand(run: Run): Command {
  return baseOption(
    typeOption(
      new Command('diff')
        .description(
          'tell which types two kernels, objects or files do not have in common; exits with 5 then',
        )
        .argument('<a>', 'a SPEC')
        .argument('<b>', 'a SPEC'),
    ),
  )
    .addOption(new Option('-k, --kind <kind>', 'only types of one kind').choices(DIFF_KINDS))
    .addHelpText(
      'after',
      `
Types are told apart by kind and name. Compared are sizes, members with their places and types, values of enums, and
the types of functions, variables and typedefs; not tags.

${SPEC_HELP}`,
    )
    .action(run(diff));
}

async function diff(session: Session, a: string, b: string, options: DiffOptions): Promise<number> {
  const specOf = async (text: string): Promise<Spec> =>
    session.source(parseSpecRef(text), options.base).spec();
  const [from, to] = await Promise.all([specOf(a), specOf(b)]);
  const result = diffSpecs(from, to, wanted(options));
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
  const globs = type.map(compileGlob);
  return (ofKind, name) =>
    (kind === undefined || ofKind === kind) && (globs.length === 0 || globs.some((matches) => matches(name)));
}
