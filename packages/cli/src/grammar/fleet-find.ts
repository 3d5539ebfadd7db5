import { Command, Option } from 'commander';
import { KIND_WORDS } from '../diff/diff-kinds.js';
import { type FleetOptions, fleetOptions, type ObjectOptions, objectOption } from './fleet-options.js';
import type { Action } from './options.js';

/** FleetFindOptions are the options of `btfctl fleet find`. */
export interface FleetFindOptions extends FleetOptions, ObjectOptions {
  readonly kind?: (typeof KIND_WORDS)[number];
}

/** fleetFindCommand is `btfctl fleet find`. */
export function fleetFindCommand(action: Action): Command {
  return fleetOptions(
    objectOption(
      new Command('find')
        .description('find types by name, and show which builds have them')
        .argument('<glob>', 'a name or a glob: tcp_sock, "bpf_task_*"'),
    ).addOption(new Option('-k, --kind <kind>', 'only types of this kind').choices(KIND_WORDS)),
  )
    .addHelpText(
      'after',
      `
The BTF of each build is transferred once, and kept for later commands.`,
    )
    .action(action);
}
