import { ErrorReason } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.js';
import type { CallEnd, CallInfo, CallObserver } from '../grpc/interceptor/call-observer.js';
import { LineBudget } from './line-budget.js';
import { codeName, reasonName } from '../error/error-table.js';

/**
 * callLog logs each call when it ends: a success at debug, a refusal or a lack of resources at warn, every other failure
 * and every load at info. Each principal has a budget of lines; further calls are only counted. At debug every call is
 * logged.
 *
 * @param outOfFiles - the budget for calls that fail because the daemon can open no file, whoever makes them
 */
export function callLog(logger: Logger, budget: LineBudget, outOfFiles = budget): CallObserver {
  return {
    begin: (call) => ({
      end: (end) => {
        const level = levelOf(call, end);
        if (!logger.isLevelEnabled(level)) return;
        // At debug the operator wants every call.
        const all = logger.isLevelEnabled('debug');
        const allowed =
          end.reason === ErrorReason.OUT_OF_FILES
            ? outOfFiles.allows({ reason: reasonName(end.reason) })
            : budget.allows({ principal: call.principal });
        if (!all && !allowed) return;
        logger[level](callFields(call, end), 'call');
      },
    }),
  };
}

/** callBudget returns the budget for lines of the call log. */
export function callBudget(logger: Logger, most: number, clock: Clock): LineBudget {
  return new LineBudget(most, clock, (about, leftOut) => {
    logger.warn({ ...about, leftOut }, 'too many calls to log each');
  });
}

/** callFields returns the fields of a call in logs. */
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
    ...(facts.objectDigest === undefined ? {} : { object: facts.objectDigest }),
    ...(facts.verdict === undefined ? {} : { verdict: facts.verdict }),
  };
}

function levelOf({ method }: CallInfo, { code }: CallEnd): 'debug' | 'info' | 'warn' {
  if (WARNED.has(code)) return 'warn';
  // Clients end streams by cancelling.
  if (code !== status.OK && code !== status.CANCELLED) return 'info';
  return method === 'LoadHandle' ? 'info' : 'debug';
}

/** Codes that may need an operator's attention. INTERNAL has a log entry of its own. */
const WARNED: ReadonlySet<status> = new Set([
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.RESOURCE_EXHAUSTED,
  status.DATA_LOSS,
]);
