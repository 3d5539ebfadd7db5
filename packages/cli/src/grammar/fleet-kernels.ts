import { Command } from 'commander';
import { fleetOptions } from './fleet-options.js';
import type { Action } from './options.js';

/** fleetKernelsCommand is `btfctl fleet kernels`. */
export function fleetKernelsCommand(action: Action): Command {
  return fleetOptions(
    new Command('kernels').description(
      'list the builds of the kernel that the nodes run, by the SHA-256 of their BTF',
    ),
  ).action(action);
}
