import { Command } from 'commander';
import { type FleetOptions, fleetOptions, type ObjectOptions, objectOption } from './fleet-options.js';
import type { Action } from './options.js';

/** FleetMemberOptions are the options of `btfctl fleet member`. */
export interface FleetMemberOptions extends FleetOptions, ObjectOptions {}

/** fleetMemberCommand is `btfctl fleet member`. */
export function fleetMemberCommand(action: Action): Command {
  return fleetOptions(
    objectOption(
      new Command('member')
        .description('print offset, bits and type of members in each build')
        .argument(
          '<path...>',
          'a struct and members of it; of alternatives A|B the first that leads to a member',
        ),
    ),
  )
    .addHelpText(
      'after',
      `
  btfctl fleet member task_struct.mm.pgd --nodes-file nodes.txt
  btfctl fleet member 'task_struct.start_boottime|task_struct.real_start_time' \\
    --dns btfd.btfd.svc.cluster.local:7443 -o json

Offsets are written as those of \`btfctl member\`.`,
    )
    .action(action);
}
