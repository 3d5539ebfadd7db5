import { Command, Option } from 'commander';
import { KIND_WORDS } from '../diff/kind-words.js';
import type { Run } from '../session/run.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { baseOption } from './in-option.js';

/** findCommand is `btfctl find`. */
export function findCommand(run: Run): Command {
  return baseOption(
    new Command('find')
      .description('find types by name, and tell in which objects they are')
      .argument('<name...>', 'names or globs: tcp_sock, "tcp_*"')
      .option('-i, --in <spec>', 'look in this SPEC only; default: in every object of the node'),
  )
    .addOption(new Option('-k, --kind <kind>', 'types of one kind').choices(KIND_WORDS))
    .addHelpText('after', `\n${SPEC_HELP}`)
    .action(run(async () => (await import('../command/find.js')).find));
}
