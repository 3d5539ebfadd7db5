import { type ContextOptions, ConfigError, listContexts } from '@btfd/client/contexts';
import { BtfError, status } from '@btfd/client';
import { onlyKnown } from '../base/argument.js';
import { nameTestOf } from '../question/find-types.js';
import type { FleetNode, NodeSource } from '../source/node-source.js';

/** ContextNodesOptions are the options of {@link contextNodes}. */
export interface ContextNodesOptions extends ContextOptions {}

/**
 * contextNodes returns a source of the contexts in btfctl's config file whose name matches a glob. Each has the certificates
 * and the server name of its context, and none of the fleet's options; a context without TLS is asked without it. The file is
 * read for each listing.
 *
 * Listing rejects with a BtfError whose code is FAILED_PRECONDITION if the config file cannot be read or used, and NOT_FOUND
 * if no context matches.
 *
 * @throws BtfError INVALID_REQUEST for a glob or an option that cannot be used.
 */
export function contextNodes(glob = '*', options: ContextNodesOptions = {}): NodeSource {
  onlyKnown(options, ['configFile']);
  nameTestOf('glob', glob);
  const description = `contexts ${glob}`;
  return {
    description,
    list: async ({ signal } = {}) => {
      signal?.throwIfAborted();
      const nodes = await found(glob, options);
      if (nodes.length > 0) return nodes;
      throw new BtfError({ code: status.NOT_FOUND, reason: null, message: `no context matches ${glob}` });
    },
  };
}

async function found(glob: string, options: ContextNodesOptions): Promise<FleetNode[]> {
  try {
    return (await listContexts(glob, options)).map(({ name, address, tls }) => ({ name, address, tls }));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { message } = error;
    throw new BtfError({ code: status.FAILED_PRECONDITION, reason: null, message, cause: error });
  }
}
