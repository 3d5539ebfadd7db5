import { Command } from 'commander';
import type { Run } from '../session/run.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { baseOption } from './in-option.js';
import { typeOption } from './type-option.js';

/** headerCommand is `btfctl header`. */
export function headerCommand(run: Run): Command {
  return baseOption(
    typeOption(
      new Command('header')
        .description('print vmlinux.h, for programs that are compiled against the types of a kernel')
        .argument('[spec]', 'a SPEC', 'vmlinux'),
    ),
  )
    .addHelpText('after', `\n${SPEC_HELP}`)
    .action(run(async () => (await import('../command/header.js')).header));
}
