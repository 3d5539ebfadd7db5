import { Command, Option } from 'commander';
import { KIND_WORDS, type KindWord } from '../diff/diff-kinds.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, repeated, typeOption } from './options.js';

/** DiffOptions are the options of `btfctl diff`. */
export interface DiffOptions {
  readonly type?: readonly string[];
  readonly kind?: KindWord;
  readonly base?: readonly string[];
  readonly closure?: boolean;
}

/** diffCommand is `btfctl diff`. */
export function diffCommand(action: Action): Command {
  return typeOption(
    new Command('diff')
      .description('compare the types of two kernels, objects or files; exit status 5 if they differ')
      .argument('<a>', 'a SPEC')
      .argument('<b>', 'a SPEC'),
    'this name',
  )
    .option('--closure', 'also compare the types that these refer to, including types of the base')
    .option(
      '-B, --base <spec>',
      'a SPEC of the base, for split BTF such as a module in a file; give two for different bases of A and B',
      repeated,
    )
    .addOption(new Option('-k, --kind <kind>', 'only types of this kind').choices(KIND_WORDS))
    .addHelpText(
      'after',
      `
Types are matched by kind and name. btfctl compares sizes, members with their
offsets and types, enum values, the types of functions, variables and typedefs,
and tags. For split BTF it compares only its own types; --closure adds the types
of the base that they refer to.

${SPEC_HELP}`,
    )
    .action(action);
}
