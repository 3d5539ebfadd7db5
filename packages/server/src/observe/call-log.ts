import { status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.js';
import type { CallEnd, CallInfo, CallObserver } from '../grpc/interceptor/call-observer.js';
import { LineBudget } from './line-budget.js';
import { codeName, reasonName } from '../error/error-table.js';

/**
 * callLog logs each call as it ends: what succeeds at debug, as most calls do and read only; what the daemon
 * refuses or lacks at warn; every other failure at info. Loads are in the audit log besides. Those of one principal that
 * are beyond the budget are told as a number.
 */
export function callLog(logger: Logger, budget: LineBudget): CallObserver {
  return {
    begin: (call) => ({
      end: (end) => {
        const level = levelOf(call, end);
        if (!logger.isLevelEnabled(level)) return;
        // Who asks for every call gets every call.
        const all = logger.isLevelEnabled('debug');
        if (!all && !budget.allows({ principal: call.principal })) return;
        logger[level](callFields(call, end), 'call');
      },
    }),
  };
}

/** callBudget bounds the lines of the log of calls. */
export function callBudget(logger: Logger, most: number, clock: Clock): LineBudget {
  return new LineBudget(most, clock, (about, leftOut) => {
    logger.warn({ ...about, leftOut }, 'more calls: too many to log each');
  });
}

/** callFields are what logs tell of a call. */
export function callFields(call: CallInfo, { code, reason, durationMs }: CallEnd): Record<string, unknown> {
  const { service, method, unknownPath, requestId, peer, facts } = call;
  return {
    requestId,
    principal: call.principal,
    ...(peer === '' ? {} : { peer }),
    service,
    method,
    ...(unknownPath === null ? {} : { path: unknownPath }),
    code: codeName(code),
    ...(reason === null ? {} : { reason: reasonName(reason) }),
    durationMs: Math.round(durationMs * 1000) / 1000,
    ...(facts.btfId === undefined ? {} : { btfId: facts.btfId }),
  };
}

function levelOf({ method }: CallInfo, { code }: CallEnd): 'debug' | 'info' | 'warn' {
  if (WARNED.has(code)) return 'warn';
  // Leaving early is how clients end streams.
  if (code !== status.OK && code !== status.CANCELLED) return 'info';
  return method === 'LoadHandle' ? 'info' : 'debug';
}

/** What an operator may have to do something about. The detail of INTERNAL has an error of its own in the log. */
const WARNED: ReadonlySet<status> = new Set([
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.RESOURCE_EXHAUSTED,
  status.DATA_LOSS,
]);
