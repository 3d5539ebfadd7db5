import type { Caller } from '../auth/caller.js';
import { hasRole, type Role } from '../auth/policy.js';
import { Origin } from '@btfd/api';
import type { RpcCall } from '../grpc/rpc.js';

/** callerAs returns a caller with a role. */
export function callerAs(role: Role | null, principal = 'uid:1000'): Caller {
  return {
    principal,
    role,
    may: (needed) => hasRole(role, needed),
    maySee: (origin) => hasRole(role, origin === Origin.USER ? 'inspector' : 'viewer'),
  };
}

/** LOADER is a caller with all rights. */
export const LOADER = callerAs('loader');

/** callBy returns an unobserved call. Its signal never aborts unless a test passes its own. */
export function callBy(caller = LOADER, signal: RpcCall['signal'] = new AbortController().signal): RpcCall {
  return {
    signal,
    get aborted() {
      return signal.aborted;
    },
    throwIfAborted: () => signal.throwIfAborted(),
    caller,
    note() {},
  };
}
