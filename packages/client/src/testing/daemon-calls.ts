import type { FakeCall, FakeDaemon, MethodName } from '../fake-daemon/index.js';

/** closes are the tokens of each CloseHandles that was answered. */
export function closes(daemon: FakeDaemon): string[][] {
  return answered(daemon.callsOf('closeHandles')).map(({ request }) => request.tokens);
}

/** renewals are the tokens of each RenewHandles that was answered. */
export function renewals(daemon: FakeDaemon): string[][] {
  return answered(daemon.callsOf('renewHandles')).map(({ request }) => request.tokens);
}

/** specsSent is how many specs were sent to their end to a client that had nothing. */
export function specsSent(daemon: FakeDaemon): number {
  return answered(daemon.callsOf('spec')).filter(({ request }) => request.ifNoneMatch === undefined).length;
}

/** cancelled are the methods of the calls that were cancelled. */
export function cancelled(daemon: FakeDaemon): MethodName[] {
  return daemon.calls.filter(({ state }) => state === 'cancelled').map(({ method }) => method);
}

/** heldCount is how many handles streams hold. */
export function heldCount(daemon: FakeDaemon): number {
  return daemon.handles.filter(({ ttl }) => ttl === null).length;
}

/** deadlineOf is the deadline of the last call of a method. */
export function deadlineOf(daemon: FakeDaemon, method: MethodName): number | undefined {
  return daemon.callsOf(method).at(-1)?.deadline;
}

function answered<M extends MethodName>(calls: FakeCall<M>[]): FakeCall<M>[] {
  return calls.filter(({ state }) => state === 'answered');
}
