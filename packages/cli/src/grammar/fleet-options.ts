import type { FleetSource } from '@btfd/client/contexts';
import { type Command, InvalidArgumentError } from 'commander';
import { etcdOptions } from './fleet-etcd.js';
import { notEmpty, parseTime } from './global-options.js';
import { repeated } from './options.js';

/** NodeSourceOptions choose the nodes of a fleet. */
export interface NodeSourceOptions extends FleetSource {
  /** `KEY=VALUE` each. */
  readonly selector?: readonly string[] | undefined;
}

/** FleetReachOptions are the options of reaching the nodes of a fleet. */
export interface FleetReachOptions extends NodeSourceOptions {
  readonly concurrency?: number;
  /** Milliseconds, as all times. */
  readonly connectTimeout?: number;
}

/** FleetOptions are the options of every question to a fleet. */
export interface FleetOptions extends FleetReachOptions {
  readonly deadline?: number;
  readonly failFast?: boolean;
  readonly nodes?: boolean;
}

/** nodeSourceOptions declares the {@link NodeSourceOptions}. `SOURCES` in `fleet/node-source.ts` opens them. */
export function nodeSourceOptions(command: Command): Command {
  return etcdOptions(command, 'the nodes that are registered in etcd; separate its members by commas')
    .option(
      '--dns <name:port>',
      'each address of this DNS name is a node, as of a headless Service',
      notEmpty,
    )
    .option('--srv', 'with --dns NAME: the targets and ports of its SRV records')
    .option(
      '--kubernetes <namespace/service>',
      'the endpoints of this Service, by KUBECONFIG, ~/.kube/config or the service account of the pod',
      notEmpty,
    )
    .option('--kube-context <name>', 'with --kubernetes: another context of the kubeconfig', notEmpty)
    .option(
      '--nodes-file <file>',
      'a node on each line: NAME ADDRESS, or ADDRESS; - is standard input',
      notEmpty,
    )
    .option('--contexts <glob>', 'the contexts of the config file with this name, or that match', notEmpty)
    .option(
      '--selector <key=value>',
      'only nodes with this label; can be repeated, for nodes with all of them',
      repeated,
    );
}

/** fleetReachOptions declares the {@link FleetReachOptions}. */
export function fleetReachOptions(command: Command): Command {
  return nodeSourceOptions(command)
    .option('--concurrency <number>', 'how many nodes are asked at one time; default: 32', parseConcurrency)
    .option('--connect-timeout <time>', 'time limit of the connection to a node; default: 3s', parseTime);
}

/** fleetOptions declares the {@link FleetOptions}. */
export function fleetOptions(command: Command): Command {
  return fleetReachOptions(command)
    .option(
      '--deadline <time>',
      'time limit of the whole, after which the answer is what is known',
      parseTime,
    )
    .option('--fail-fast', 'end at the first node that gives no answer')
    .option('--nodes', 'also list the nodes');
}

/** The most nodes of a fleet. */
const MAX_CONCURRENCY = 10_000;

function parseConcurrency(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= MAX_CONCURRENCY) return number;
  throw new InvalidArgumentError(`Use a number from 1 to ${MAX_CONCURRENCY}.`);
}

/** ObjectOptions choose an object of the kernel of each node. */
export interface ObjectOptions {
  readonly in: string;
}

/** objectOption declares the {@link ObjectOptions}. */
export function objectOption(command: Command): Command {
  return command.option(
    '-i, --in <module>',
    'use the types of this module, or of vmlinux',
    notEmpty,
    'vmlinux',
  );
}
