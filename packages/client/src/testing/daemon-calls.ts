import type { FakeCall, FakeDaemon, MethodName } from '../fake-daemon/index.js';

/** closes returns the tokens of each CloseHandles that succeeded. */
export function closes(daemon: FakeDaemon): string[][] {
  return answered(daemon.callsOf('closeHandles')).map(({ request }) => request.tokens);
}

/** renewals returns the tokens of each RenewHandles that succeeded. */
export function renewals(daemon: FakeDaemon): string[][] {
  return answered(daemon.callsOf('renewHandles')).map(({ request }) => request.tokens);
}

/** specsSent returns the number of complete transfers to a client that had no BTF. */
export function specsSent(daemon: FakeDaemon): number {
  return answered(daemon.callsOf('spec')).filter(({ request }) => request.ifNoneMatch === undefined).length;
}

/** cancelled returns the methods of the calls that were cancelled. */
export function cancelled(daemon: FakeDaemon): MethodName[] {
  return daemon.calls.filter(({ state }) => state === 'cancelled').map(({ method }) => method);
}

/** heldCount returns the number of handles that streams hold. */
export function heldCount(daemon: FakeDaemon): number {
  return daemon.handles.filter(({ ttl }) => ttl === null).length;
}

/** deadlineOf returns the deadline of the last call of a method. */
export function deadlineOf(daemon: FakeDaemon, method: MethodName): number | undefined {
  return daemon.callsOf(method).at(-1)?.deadline;
}

function answered<M extends MethodName>(calls: FakeCall<M>[]): FakeCall<M>[] {
  return calls.filter(({ state }) => state === 'answered');
}
