import { connectivityState, type Channel } from '@grpc/grpc-js';

/** ConnectionEvents are told of the connection to the daemon. */
export interface ConnectionEvents {
  /** There is a new connection. */
  readonly up: () => void;
  /** The connection broke. */
  readonly down: () => void;
}

/** watchConnection tells of a channel's connection until the channel is closed. It does not make it connect. */
export function watchConnection(
  channel: Pick<Channel, 'getConnectivityState' | 'watchConnectivityState'>,
  { up, down }: ConnectionEvents,
): void {
  let wasUp = false;
  const look = (): void => {
    const state = channel.getConnectivityState(false);
    if (state === connectivityState.SHUTDOWN) return;
    const isUp = state === connectivityState.READY;
    // Not at once: the channel is amid its change.
    if (isUp !== wasUp) queueMicrotask(isUp ? up : down);
    wasUp = isUp;
    channel.watchConnectivityState(state, Infinity, look);
  };
  look();
}
