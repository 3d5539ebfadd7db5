import { Command } from 'commander';
import { type EtcdFlags, etcdOptions } from './fleet-etcd.js';
import { notEmpty } from './global-options.js';
import { type Action, repeated } from './options.js';

/** FleetRegisterOptions are the options of `btfctl fleet register`. */
export interface FleetRegisterOptions extends EtcdFlags {
  readonly name?: string;
  readonly advertise?: string;
  /** `KEY=VALUE` each. */
  readonly label?: readonly string[];
}

/** fleetRegisterCommand is `btfctl fleet register`. */
export function fleetRegisterCommand(action: Action): Command {
  return etcdOptions(
    new Command('register').description(
      'keep this node registered in etcd while its daemon responds, until Ctrl-C or SIGTERM',
    ),
    'members of etcd, separated by commas',
  )
    .option('--name <name>', 'name of the node; default: the host name', notEmpty)
    .option('--advertise <address>', 'HOST:PORT of the daemon for others; default: its --address', notEmpty)
    .option('--label <key=value>', 'a label of the node; can be repeated', repeated)
    .addHelpText(
      'after',
      `
Other commands find the node with --etcd. Needs the package etcd3:
\`npm install --global etcd3\` beside @btfd/cli.`,
    )
    .action(action);
}
