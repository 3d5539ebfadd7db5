import { Command } from 'commander';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, inOption } from './options.js';

/** layoutCommand is `btfctl layout`. */
export function layoutCommand(action: Action): Command {
  return inOption(
    new Command('layout')
      .description('draw structs and unions by cache line, with their holes')
      .argument('<type...>', 'names, globs or type ids of structs, unions and typedefs of them'),
  )
    .addHelpText(
      'after',
      `\n\`btfctl dump SPEC --type TYPE --format layout\` prints the layout as pahole 1.32\ndoes.\n\n${SPEC_HELP}`,
    )
    .action(action);
}
