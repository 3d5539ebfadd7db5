import { Command } from 'commander';
import { type CheckOptions, checkOptions } from './compat.js';
import { type FleetOptions, fleetOptions } from './fleet-options.js';
import type { Action } from './options.js';

/** FleetCompatOptions are the options of `btfctl fleet compat`. */
export interface FleetCompatOptions extends FleetOptions, CheckOptions {}

/** fleetCompatCommand is `btfctl fleet compat`. */
export function fleetCompatCommand(action: Action): Command {
  return fleetOptions(
    checkOptions(
      new Command('compat').description(
        'check whether the programs of BPF objects fit the kernels of all nodes; exit status 8 if one does not fit',
      ),
    ),
  )
    .addHelpText(
      'after',
      `
The objects are sent to one node of each build. \`btfctl compat\` explains the
options and the findings.`,
    )
    .action(action);
}
