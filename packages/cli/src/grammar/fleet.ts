import { Command } from 'commander';
import { fleetCompatCommand } from './fleet-compat.js';
import { fleetDiffCommand } from './fleet-diff.js';
import { fleetFindCommand } from './fleet-find.js';
import { fleetKernelsCommand } from './fleet-kernels.js';
import { fleetMemberCommand } from './fleet-member.js';
import { fleetWatchCommand } from './fleet-watch.js';
import { fleetRegisterCommand } from './fleet-register.js';
import type { Action } from './options.js';

/** FleetActions are what the commands of `btfctl fleet` do. */
export interface FleetActions {
  readonly kernels: Action;
  readonly compat: Action;
  readonly member: Action;
  readonly find: Action;
  readonly diff: Action;
  readonly watch: Action;
  readonly register: Action;
}

/** fleetCommand is `btfctl fleet` with its own commands. */
export function fleetCommand(actions: FleetActions): Command {
  return new Command('fleet')
    .description('ask the daemons of many nodes, once for each build of the kernel')
    .addCommand(fleetKernelsCommand(actions.kernels))
    .addCommand(fleetCompatCommand(actions.compat))
    .addCommand(fleetMemberCommand(actions.member))
    .addCommand(fleetFindCommand(actions.find))
    .addCommand(fleetDiffCommand(actions.diff))
    .addCommand(fleetWatchCommand(actions.watch))
    .addCommand(fleetRegisterCommand(actions.register))
    .addHelpText(
      'after',
      `
The nodes are those of one source, such as --dns or --nodes-file. Each node has
an outcome, and exit status 9 means that some gave no answer. \`register\` adds
this node to etcd.`,
    );
}
