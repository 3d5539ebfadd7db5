import { Command } from 'commander';
import { fleetReachOptions, type FleetReachOptions } from './fleet-options.js';
import { parseTime } from './global-options.js';
import type { Action } from './options.js';

/** FleetWatchOptions are the options of `btfctl fleet watch`. */
export interface FleetWatchOptions extends FleetReachOptions {
  /** Milliseconds. */
  readonly interval?: number;
  readonly modules?: boolean;
  readonly new?: boolean;
}

/** fleetWatchCommand is `btfctl fleet watch`. */
export function fleetWatchCommand(action: Action): Command {
  return fleetReachOptions(
    new Command('watch').description(
      'show the nodes and their builds, and those that come, go and change, until Ctrl-C',
    ),
  )
    .option('--interval <time>', 'how often every node is asked; default: 1m', parseTime)
    .option('--modules', 'also show changes of the modules of a node')
    .option('--new', 'leave out the nodes and builds that exist already')
    .action(action);
}
