import { Command, Option } from 'commander';
import { DIFF_KINDS } from '../diff/diff-kinds.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, repeated, typeOption } from './options.js';

/** diffCommand is `btfctl diff`. */
export function diffCommand(action: Action): Command {
  return typeOption(
    new Command('diff')
      .description('tell which types two kernels, objects or files do not have in common; exits with 5 then')
      .argument('<a>', 'a SPEC')
      .argument('<b>', 'a SPEC'),
  )
    .option('--closure', 'also all that they refer to, the types of the base included')
    .option(
      '-B, --base <spec>',
      'what split BTF, such as a module in a file, continues; given twice, of A and of B',
      repeated,
    )
    .addOption(new Option('-k, --kind <kind>', 'only types of one kind').choices(DIFF_KINDS))
    .addHelpText(
      'after',
      `
Types are told apart by kind and name. Compared are sizes, members with their places and types, values of enums, and
the types of functions, variables and typedefs, and their tags. Of split BTF its own types are compared, and with --closure
those of its base that they refer to.

${SPEC_HELP}`,
    )
    .action(action);
}
