import type { BtfClient, ServerDetail, ServerInfo } from '@btfd/client';
import { Bounded, MAX_TIMER_MS } from '../base/bounded.js';
import { unreached } from './reach-node.js';

/** AskLimits bound the calls to one node. */
export interface AskLimits {
  /** The address of the node, for messages. */
  readonly address: string;
  /** The time for a connection on which the daemon speaks HTTP/2, in milliseconds. */
  readonly connectTimeout: number;
  /** The time for each call. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * serverInfoOf returns the info of the daemon of a node. A node that is silent fails after `connectTimeout`: one that accepts
 * connections does not speak HTTP/2 while its process is stopped. A daemon that does has `timeout`, because digests of
 * many modules take time.
 *
 * @throws BtfError UNREACHABLE if there is no connection in time, and for every call.
 */
export async function serverInfoOf(
  client: BtfClient,
  details: readonly ServerDetail[],
  { address, connectTimeout, timeout, signal }: AskLimits,
): Promise<ServerInfo> {
  using bounded = new Bounded([signal], Infinity);
  const fail = (): void => {
    if (!client.connected) bounded.abort(unreached(address, `no response within ${connectTimeout} ms`));
  };
  // A process that did not run first reads what has arrived meanwhile.
  const timer = setTimeout(() => setImmediate(fail), Math.min(connectTimeout, MAX_TIMER_MS));
  try {
    return await client.serverInfo({ details, timeout, signal: bounded.signal });
  } finally {
    clearTimeout(timer);
  }
}
