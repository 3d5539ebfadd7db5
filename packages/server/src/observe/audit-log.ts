import { ErrorReason } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { CallEnd, CallInfo, CallObserver } from '../grpc/call-observer.js';
import { callFields, type PrincipalOf } from './call-log.js';

/**
 * auditLog writes a line for each load, each handle taken for longer than a stream, and each refusal: who, what
 * and what came of it. It does so whatever the log level is, unless that is silent.
 */
export function auditLog(logger: Logger, principalOf: PrincipalOf): CallObserver {
  const audit = logger.child({ audit: true }, { level: logger.level === 'silent' ? 'silent' : 'info' });
  return {
    begin: (call) => ({
      end(end) {
        const action = actionOf(call, end);
        if (action === null) return;
        const { btfBytes, digest } = call.facts;
        audit.info(
          {
            action,
            outcome: outcomeOf(call, end),
            ...callFields(call, end, principalOf),
            ...(btfBytes === undefined ? {} : { btfBytes }),
            ...(digest === undefined ? {} : { digest }),
          },
          'audit',
        );
      },
    }),
  };
}

function actionOf({ method }: CallInfo, { code }: CallEnd): 'load' | 'take' | 'refusal' | null {
  if (code === status.PERMISSION_DENIED || code === status.UNAUTHENTICATED) return 'refusal';
  if (method === 'LoadHandle') return 'load';
  return TAKING.has(method) && code === status.OK ? 'take' : null;
}

/** `rejected` is the kernel's verdict, `refused` the daemon's. */
function outcomeOf(
  { facts }: CallInfo,
  { code, reason }: CallEnd,
): 'granted' | 'rejected' | 'refused' | 'failed' {
  if (facts.rejected === true || reason === ErrorReason.VERIFIER_REJECTED) return 'rejected';
  if (code === status.OK) return 'granted';
  return code === status.PERMISSION_DENIED || code === status.UNAUTHENTICATED ? 'refused' : 'failed';
}

/** The methods besides LoadHandle that give a lease. */
const TAKING: ReadonlySet<string> = new Set(['GetHandleById', 'TakeHandle', 'CloneHandle']);
