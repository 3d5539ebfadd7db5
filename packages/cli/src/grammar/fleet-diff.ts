import { Command, Option } from 'commander';
import { KIND_WORDS, type KindWord } from '../diff/diff-kinds.js';
import { type FleetOptions, fleetOptions, type ObjectOptions, objectOption } from './fleet-options.js';
import { type Action, typeOption } from './options.js';

/** FleetDiffOptions are the options of `btfctl fleet diff`. */
export interface FleetDiffOptions extends FleetOptions, ObjectOptions {
  readonly from: string;
  readonly type?: readonly string[];
  readonly kind?: KindWord;
  readonly closure?: boolean;
}

/** fleetDiffCommand is `btfctl fleet diff`. */
export function fleetDiffCommand(action: Action): Command {
  return fleetOptions(
    objectOption(
      typeOption(
        new Command('diff')
          .description(
            'compare the types of each build with those of one kernel; exit status 5 if they differ',
          )
          .requiredOption(
            '--from <kernel>',
            '@NODE of the fleet, the digest of a build or its first digits, or the path of a file',
          ),
        'this name',
      ),
    ),
  )
    .addOption(new Option('-k, --kind <kind>', 'only types of this kind').choices(KIND_WORDS))
    .option('--closure', 'also compare the types that these refer to')
    .addHelpText(
      'after',
      `
The types are compared as \`btfctl diff\` compares them.`,
    )
    .action(action);
}
