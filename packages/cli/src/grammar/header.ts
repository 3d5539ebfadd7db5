import { Command } from 'commander';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, baseOption, typeOption } from './options.js';

/** HeaderOptions are the options of `btfctl header`. */
export interface HeaderOptions {
  readonly type?: readonly string[];
  readonly base?: string;
}

/** headerCommand is `btfctl header`. */
export function headerCommand(action: Action): Command {
  return baseOption(
    typeOption(
      new Command('header')
        .description('print vmlinux.h, to compile programs against the types of a kernel')
        .argument('[spec]', 'a SPEC', 'vmlinux'),
    ),
  )
    .addHelpText('after', `\n${SPEC_HELP}`)
    .action(action);
}
