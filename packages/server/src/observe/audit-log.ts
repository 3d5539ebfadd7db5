import { ErrorReason } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.js';
import type { CallEnd, CallInfo, CallObserver } from '../grpc/interceptor/call-observer.js';
import type { FdRequestEnd } from '../handle/fd-requests.js';
import { callFields } from './call-log.js';
import { LineBudget } from './line-budget.js';

/**
 * auditLog writes a line for each load, each handle with a lease, and each refusal: who, what, and the outcome. It does so
 * at every log level but silent. Loads that reach the kernel are always logged. For other lines each principal has
 * a budget; further ones are only counted.
 */
export function auditLog(logger: Logger, budget: LineBudget): CallObserver {
  const audit = auditLogger(logger);
  return {
    begin: (call) => ({
      end(end) {
        const action = actionOf(call, end);
        if (action === null) return;
        // Each load that reached the kernel has a line, however many there are.
        const toKernel = call.facts.digest !== undefined;
        if (!toKernel && !budget.allows({ action, principal: call.principal })) return;
        const { btfBytes, digest } = call.facts;
        audit.info(
          {
            action,
            outcome: outcomeOf(call, end),
            ...callFields(call, end),
            ...(btfBytes === undefined ? {} : { btfBytes }),
            ...(digest === undefined ? {} : { digest }),
          },
          'audit',
        );
      },
    }),
  };
}

/** auditFd writes a line for a request of a file descriptor that has ended, unless the budget is used up. */
export function auditFd(logger: Logger, budget: LineBudget, end: FdRequestEnd): void {
  const { principal, pid, info, error } = end;
  const { INTERNAL } = ErrorReason;
  const outcome = error === null ? 'granted' : error.reason === INTERNAL ? 'failed' : 'refused';
  if (!budget.allows({ action: 'fd', principal })) return;
  const object = info === null ? {} : { btfId: info.id, name: info.name };
  const reason = error === null ? {} : { reason: ErrorReason[error.reason], why: error.message };
  auditLogger(logger).info({ action: 'fd', outcome, principal, pid, ...object, ...reason }, 'audit');
}

/** auditBudget returns the budget for lines of the audit log. */
export function auditBudget(logger: Logger, most: number, clock: Clock): LineBudget {
  const audit = auditLogger(logger);
  return new LineBudget(most, clock, (about, leftOut) => audit.info({ ...about, leftOut }, 'audit'));
}

function auditLogger(logger: Logger): Logger {
  return logger.child({ audit: true }, { level: logger.level === 'silent' ? 'silent' : 'info' });
}

function actionOf({ method, facts }: CallInfo, { code }: CallEnd): 'load' | 'take' | 'refusal' | null {
  if (code === status.PERMISSION_DENIED || code === status.UNAUTHENTICATED) return 'refusal';
  if (method === 'LoadHandle') return 'load';
  return facts.leased === true ? 'take' : null;
}

/**
 * `rejected` is the verdict of the kernel, `refused` that of the daemon. A lease is granted even if its client leaves before
 * it gets the response: it may have read the token by then, which other clients of the same principal may use.
 */
function outcomeOf(
  { facts }: CallInfo,
  { code, reason }: CallEnd,
): 'granted' | 'rejected' | 'refused' | 'failed' {
  if (facts.rejected === true || reason === ErrorReason.VERIFIER_REJECTED) return 'rejected';
  if (facts.leased === true) return 'granted';
  return code === status.PERMISSION_DENIED || code === status.UNAUTHENTICATED ? 'refused' : 'failed';
}
