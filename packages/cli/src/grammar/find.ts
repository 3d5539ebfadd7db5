import { Command, Option } from 'commander';
import { KIND_WORDS } from '../diff/diff-kinds.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, baseOption } from './options.js';

/** FindOptions are the options of `btfctl find`. */
export interface FindOptions {
  readonly in?: string;
  readonly base?: string;
  readonly kind?: string;
}

/** findCommand is `btfctl find`. */
export function findCommand(action: Action): Command {
  return baseOption(
    new Command('find')
      .description('find types by name, and show which objects have them')
      .argument('<name...>', 'names, globs or type ids: tcp_sock, "tcp_*", 114')
      .option('-i, --in <spec>', 'search only this SPEC; default: every object of the node'),
  )
    .addOption(new Option('-k, --kind <kind>', 'only types of this kind').choices(KIND_WORDS))
    .addHelpText('after', `\n${SPEC_HELP}`)
    .action(action);
}
