import { Command } from 'commander';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, inOption } from './options.js';

/** memberCommand is `btfctl member`. */
export function memberCommand(action: Action): Command {
  return inOption(
    new Command('member')
      .description('tell where members are: offset, bits and type of task_struct.mm.pgd')
      .argument('<path...>', 'a struct and members of it: task_struct.mm.pgd, "struct sk_buff.cb[3]"')
      .addHelpText(
        'after',
        `
An offset is in bytes; that of a bitfield has its bit behind a colon. Behind a pointer it counts anew: "2320 → 120" is
a pointer at 2320, and 120 bytes from where that points.

${SPEC_HELP}`,
      ),
  ).action(action);
}
