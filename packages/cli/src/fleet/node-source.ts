import type { FleetNode, NodeSource } from '@btfd/fleet';
import { isBtfError, notFound, usageError } from '../error/cli-error.js';
import type { NodeSourceOptions } from '../grammar/fleet-options.js';
import { counted, grouped } from '../output/numbers.js';
import type { Session } from '../session/session.js';
import { withListingErrors } from './listing-errors.js';

/** SourceFlag is an option that names the nodes of a fleet. */
interface SourceFlag {
  readonly flag: string;
  readonly isGiven: (options: NodeSourceOptions) => boolean;
  readonly open: (session: Session, options: NodeSourceOptions) => Promise<NodeSource>;
}

/** SOURCES are the sources of nodes. A command takes one of them. Each is loaded when it is chosen. */
const SOURCES: readonly SourceFlag[] = [
  {
    flag: '--dns',
    isGiven: ({ dns }) => dns !== undefined,
    open: async (_session, { dns = '', srv }) => {
      const { dnsNodes } = await import('@btfd/fleet');
      return dnsNodes(dns, { srv });
    },
  },
  {
    flag: '--kubernetes',
    isGiven: ({ kubernetes }) => kubernetes !== undefined,
    open: async (_session, options) => {
      const { kubernetesSource } = await import('./kubernetes.js');
      return kubernetesSource(options);
    },
  },
  {
    flag: '--etcd',
    isGiven: ({ etcd }) => etcd !== undefined,
    open: async (session, options) => {
      const { etcdNodesOf } = await import('./etcd.js');
      return etcdNodesOf(session, options);
    },
  },
  {
    flag: '--nodes-file',
    isGiven: ({ nodesFile }) => nodesFile !== undefined,
    open: async (session, { nodesFile = '' }) => {
      const { nodesInFile } = await import('./nodes-file.js');
      return nodesInFile(session, nodesFile);
    },
  },
  {
    flag: '--contexts',
    isGiven: ({ contexts }) => contexts !== undefined,
    open: async (session, { contexts }) => {
      const { contextNodes } = await import('@btfd/fleet/contexts');
      return withUsageErrors(contextNodes(contexts, { configFile: session.options.config }));
    },
  },
];

/**
 * openNodeSource returns the source of nodes that the options name, with only the nodes of `--selector`, and broken entries,
 * whose labels are unknown.
 *
 * @throws CliError USAGE if there is none, or more than one, and for options that cannot be used.
 */
export async function openNodeSource(session: Session, options: NodeSourceOptions): Promise<NodeSource> {
  const { address, context } = session.options;
  if (address !== undefined || context !== undefined) {
    const flag = address === undefined ? '--context' : '--address';
    throw usageError(`${flag} names one daemon, but a fleet has many`, `name its nodes with ${flags()}`);
  }
  const [chosen, other] = SOURCES.filter(({ isGiven }) => isGiven(options));
  if (chosen === undefined) {
    throw usageError('no nodes are named', `name them with ${flags()}, or with fleet in the config file`);
  }
  if (other !== undefined) {
    throw usageError(`${chosen.flag} and ${other.flag} both name nodes: use only one of them`);
  }
  if (options.srv === true && options.dns === undefined) throw usageError('--srv is an option of --dns');
  if (options.kubeContext !== undefined && options.kubernetes === undefined) {
    throw usageError('--kube-context is an option of --kubernetes');
  }
  if (options.etcd === undefined && options.prefix !== undefined)
    throw usageError('--prefix is an option of --etcd');
  const wanted = (options.selector ?? []).map(labelOf);
  try {
    const source = await chosen.open(session, options);
    return wanted.length === 0 ? source : selected(source, wanted);
  } catch (error) {
    // The messages of the library name its arguments.
    if (!isBtfError(error) || error.reason !== 'INVALID_REQUEST') throw error;
    throw usageError(`${chosen.flag}: ${error.fieldViolations[0]?.description ?? error.rawMessage}`);
  }
}

/** namesNodes reports whether the options choose the nodes of a fleet. */
export function namesNodes(options: NodeSourceOptions): boolean {
  return SOURCES.some(({ isGiven }) => isGiven(options));
}

function flags(): string {
  return SOURCES.map(({ flag }) => flag).join(' or ');
}

/** Returns a source for which a config file that cannot be used is a usage error, as for other commands. */
function withUsageErrors(source: NodeSource): NodeSource {
  return withListingErrors(source, (error) =>
    isBtfError(error) && error.codeName === 'FAILED_PRECONDITION' ? usageError(error.rawMessage) : error,
  );
}

type Label = readonly [key: string, value: string];

function labelOf(text: string): Label {
  const at = text.indexOf('=');
  if (at < 1) throw usageError(`--selector ${JSON.stringify(text)} is not KEY=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Returns a source of the nodes that have all labels, and of those with a problem instead of labels.
 *
 * @throws CliError NOT_FOUND when it is listed, if no node has the labels.
 */
function selected(source: NodeSource, labels: readonly Label[]): NodeSource {
  const hasAll = ({ labels: own = {} }: FleetNode): boolean =>
    labels.every(([key, value]) => Object.hasOwn(own, key) && own[key] === value);
  return {
    ...source,
    list: async (options) => {
      const all = await source.list(options);
      const isUnknown = (node: FleetNode): boolean => node.problem !== undefined && node.labels === undefined;
      if (all.length === 0 || all.some(hasAll)) return all.filter((node) => hasAll(node) || isUnknown(node));
      const problems = all.filter(isUnknown).flatMap(({ problem }) => problem ?? []);
      const unknown =
        problems.length === 0
          ? ''
          : `, and ${grouped(problems.length)} of them ${problems.length === 1 ? 'is' : 'are'} broken: ${problems[0]}`;
      const text = labels.map(([key, value]) => `${key}=${value}`).join(' and ');
      const has = all.some((node) => Object.keys(node.labels ?? {}).length > 0);
      throw notFound(
        `none of ${counted(all.length, 'node')} of ${source.description} has ${text}${unknown}`,
        has ? null : 'this source has no labels at all',
      );
    },
  };
}
