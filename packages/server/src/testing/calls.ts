import type { ServerInterceptor } from '@grpc/grpc-js';
import { CurrentPolicy, NO_RULES, Policy } from '../auth/policy.js';
import { DEFAULT_LIMITS, type Limits } from '../config/limits.js';
import type { CallObserver } from '../grpc/interceptor/call-observer.js';
import { Calls } from '../grpc/interceptor/calls.js';
import { makeQuotas, type Quotas } from '../quota/quotas.js';

const SILENT: CallObserver = { begin: () => ({ end() {} }) };
const ROOT = { kind: 'unix', pid: 1, uid: 0, gids: [0], socketGid: 0 } as const;
const ARRIVAL = {
  connection: { peer: ROOT, refusal: null },
  address: '',
  mostMetadata: Infinity,
  farDeadline: Infinity,
};

/** callsByRoot returns Calls like a daemon's, their quotas, and the interceptor for a connection of root. */
export function callsByRoot(
  observer = SILENT,
  limits: Partial<Limits> = {},
): { readonly calls: Calls; readonly quotas: Quotas; readonly interceptor: ServerInterceptor } {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const policy = new CurrentPolicy(new Policy(NO_RULES, 0));
  const quotas = makeQuotas(all);
  const calls = new Calls({ policy, observer, quotas, limits: all });
  return { calls, quotas, interceptor: calls.interceptor(() => ARRIVAL) };
}
