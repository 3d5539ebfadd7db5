import { Command, Option } from 'commander';
import { DIFF_KINDS } from '../diff/diff-kinds.js';
import type { Run } from '../run.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { baseOption } from './in-option.js';
import { typeOption } from './type-option.js';

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
    .action(run(async () => (await import('../command/diff.js')).diff));
}
