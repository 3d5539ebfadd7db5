import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { BtfError } from '@btfd/client';
import type { AskOptions, BtfFleet } from '@btfd/fleet';
import type { TlsFiles } from '../config/config.js';
import { namesFiles } from '../config/target.js';
import { checkedTls } from '../config/tls-files.js';
import { cacheHome } from '../config/xdg-folders.js';
import { CliError, isBtfError, usageError } from '../error/cli-error.js';
import { explainError } from '../error/explain-error.js';
import type { FleetOptions, FleetReachOptions } from '../grammar/fleet-options.js';
import { tlsOf } from '../grammar/global-options.js';
import { quietGrpc } from '../session/quiet-grpc.js';
import type { Session } from '../session/session.js';
import { FleetProgress } from './fleet-progress.js';
import { namesNodes, openNodeSource } from './node-source.js';

/** OpenFleet is the fleet of a command. Disposing of it closes the fleet. */
export interface OpenFleet extends AsyncDisposable {
  readonly fleet: BtfFleet;
  /** The options of each question, which ends with the command and shows its progress. */
  readonly ask: AskOptions;
  /** The addresses of the nodes, by name, after a question. */
  readonly addresses: ReadonlyMap<string, string>;
  /** The source of its nodes in words. */
  readonly source: string;
  /** Removes the progress from the terminal. */
  done(): void;
}

/**
 * openFleet returns the fleet that options name. It does not connect.
 *
 * @throws CliError USAGE for options that cannot be used; as `openNodeSource` and `checkedTls` do.
 */
export async function openFleet(
  session: Session,
  options: FleetReachOptions & Pick<FleetOptions, 'deadline' | 'failFast'>,
): Promise<OpenFleet> {
  // Before the library loads grpc-js.
  quietGrpc();
  // V8 frees the objects of a closed connection only when it collects the whole heap, by default late, and in Node 24 its
  // compiler Maglev needs memory too. Without these flags a thousand nodes take more than 60 MiB more.
  for (const flag of ['--optimize-for-size', '--no-maglev']) setFlagsFromString(flag);
  const { address, context } = session.options;
  // An invalid config file must not matter for options that name the nodes, or that are refused.
  const isNamed = namesNodes(options) || address !== undefined || context !== undefined;
  const config = isNamed ? null : await session.fleetConfig();
  const source = await openNodeSource(session, { ...config?.source, ...options });
  // The files of the config file are those for its own nodes. Options override them.
  const ofOptions = given(tlsOf(session.options));
  const ofConfig = config?.tls ?? null;
  const hasTls = ofConfig !== null || Object.keys(ofOptions).length > 0;
  const namedBy = namesFiles(ofOptions) ? null : 'fleet in the config file';
  const tls = hasTls
    ? await checkedTls({ ...ofConfig, ...ofOptions }, session.interrupted, namedBy)
    : undefined;
  const { BtfFleet: Fleet } = await import('@btfd/fleet');
  const progress = new FleetProgress(session.steps());
  const { failFast = false, concurrency, connectTimeout, deadline } = options;
  const { timeout } = session.options;
  const specCacheDir = join(cacheHome(session.env), 'btfd');
  const addresses = new Map<string, string>();
  const ending = endingWith(session.interrupted);
  try {
    const fleet = new Fleet(progress.following(source), {
      tls,
      concurrency,
      connectTimeout,
      timeout,
      specCacheDir,
    });
    return {
      fleet,
      ask: {
        signal: ending.signal,
        deadline,
        onNode: (node) => {
          progress.add(node);
          if (node.node.address !== '') addresses.set(node.name, node.node.address);
          if (failFast && 'error' in node.outcome) ending.abort(firstFailure(node.name, node.outcome.error));
        },
      },
      addresses,
      source: source.description,
      done: () => progress[Symbol.dispose](),
      async [Symbol.asyncDispose]() {
        progress[Symbol.dispose]();
        await fleet.close();
      },
    };
  } catch (error) {
    throw isBtfError(error) ? usageError(error.rawMessage) : error;
  }
}

/** Returns the files that the options name. */
function given(files: TlsFiles): TlsFiles {
  return Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
}

function endingWith(interrupted: AbortSignal): AbortController {
  const ending = new AbortController();
  const end = (): void => ending.abort(interrupted.reason);
  interrupted.addEventListener('abort', end, { once: true });
  if (interrupted.aborted) end();
  return ending;
}

/** Its hints are for commands that ask one daemon. */
function firstFailure(name: string, error: BtfError): CliError {
  return new CliError(explainError(error).exitCode, `${name}: ${error.rawMessage}`);
}
