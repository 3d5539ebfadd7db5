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
Offsets are written as those of \`btfctl member\`.`,
    )
    .action(action);
}
