import { Command } from 'commander';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, inOption } from './options.js';

/** memberCommand is `btfctl member`. */
export function memberCommand(action: Action): Command {
  return inOption(
    new Command('member')
      .description('print offset, bits and type of members, such as task_struct.mm.pgd')
      .argument(
        '<path...>',
        'a struct and members of it: task_struct.mm.pgd, "struct sk_buff.cb[3]", 114.pid',
      )
      .addHelpText(
        'after',
        `
Offsets are in bytes. The offset of a bitfield also has its bit, after a colon.
After a pointer, the offset starts again: "2320 → 120" is a pointer at 2320, and
120 bytes from where it points.

If several types have the name, their members must agree. Otherwise btfctl
shows each type with its offset, and a path that starts with its type id.

${SPEC_HELP}`,
      ),
  ).action(action);
}
