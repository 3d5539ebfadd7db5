import { Command, Option } from 'commander';
import { KIND_WORDS } from '../diff/diff-kinds.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, baseOption } from './options.js';

/** findCommand is `btfctl find`. */
export function findCommand(action: Action): Command {
  return baseOption(
    new Command('find')
      .description('find types by name, and tell in which objects they are')
      .argument('<name...>', 'names or globs: tcp_sock, "tcp_*"')
      .option('-i, --in <spec>', 'look in this SPEC only; default: in every object of the node'),
  )
    .addOption(new Option('-k, --kind <kind>', 'types of one kind').choices(KIND_WORDS))
    .addHelpText('after', `\n${SPEC_HELP}`)
    .action(action);
}
