import { connectivityState, type Channel } from '@grpc/grpc-js';

/** ConnectionEvents are the callbacks of {@link watchConnection}. */
export interface ConnectionEvents {
  /** Called when a connection was made. */
  readonly up: () => void;
  /** Called when the connection broke. */
  readonly down: () => void;
}

/** watchConnection reports changes of a channel's connection until the channel is closed. It does not make it connect. */
export function watchConnection(
  channel: Pick<Channel, 'getConnectivityState' | 'watchConnectivityState'>,
  { up, down }: ConnectionEvents,
): void {
  let wasUp = false;
  const look = (): void => {
    const state = channel.getConnectivityState(false);
    if (state === connectivityState.SHUTDOWN) return;
    const isUp = state === connectivityState.READY;
    // Later, because the channel is in the middle of its change.
    if (isUp !== wasUp) queueMicrotask(isUp ? up : down);
    wasUp = isUp;
    channel.watchConnectivityState(state, Infinity, look);
  };
  look();
}
