import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { Metadata, status } from '@grpc/grpc-js';
import type { CallEnd, CallFacts } from '../grpc/interceptor/call-observer.js';
import { logLines } from '../testing/log-lines.js';
import { ManualClock } from '../testing/manual-clock.js';
import { auditLog } from './audit-log.js';
import { callLog } from './call-log.js';
import { LineBudget } from './line-budget.js';

interface Call {
  readonly method: string;
  readonly code?: status;
  readonly reason?: ErrorReason;
  readonly facts?: CallFacts;
  readonly peer?: string;
}

/** Returns the lines that are logged about a call. */
function logged(
  make: typeof callLog,
  level: string,
  { method, code = status.OK, reason, facts = {}, peer = '' }: Call,
): Record<string, unknown>[] {
  const { logger, lines } = logLines(level);
  const call = {
    service: 'btf.v1.BtfService',
    method,
    unknownPath: null,
    metadata: new Metadata(),
    requestId: 'r1',
    peer,
    principal: 'uid:1000',
    facts,
  };
  const counts = { sentMessages: 0, sentBytes: 0, receivedBytes: 0 };
  const end: CallEnd = { code, reason: reason ?? null, durationMs: 1.23456, ...counts };
  make(logger, new LineBudget(1, new ManualClock(), () => {}))
    .begin(call)
    .end(end);
  return lines;
}

describe('The call log', () => {
  test('says who called what, how it ended and how long it took', () => {
    const call: Call = {
      method: 'GetHandleInfo',
      code: status.NOT_FOUND,
      reason: ErrorReason.HANDLE_NOT_FOUND,
      facts: { btfId: 7 },
      peer: '127.0.0.1:5',
    };
    expect(logged(callLog, 'debug', call)).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        pid: expect.any(Number),
        hostname: expect.any(String),
        requestId: 'r1',
        principal: 'uid:1000',
        peer: '127.0.0.1:5',
        service: 'btf.v1.BtfService',
        method: 'GetHandleInfo',
        code: 'NOT_FOUND',
        reason: 'HANDLE_NOT_FOUND',
        durationMs: 1.235,
        btfId: 7,
        msg: 'call',
      },
    ]);
  });

  test.each<[string, string, Call]>([
    ['a read that succeeds', 'debug', { method: 'Spec' }],
    ['a stream that its client leaves', 'debug', { method: 'IterateHandles', code: status.CANCELLED }],
    ['a load', 'info', { method: 'LoadHandle' }],
    ['what a client got wrong', 'info', { method: 'Spec', code: status.INVALID_ARGUMENT }],
    ['what took too long', 'info', { method: 'Spec', code: status.DEADLINE_EXCEEDED }],
    ['a refusal', 'warn', { method: 'LoadHandle', code: status.PERMISSION_DENIED }],
    ['a caller without credentials', 'warn', { method: 'Spec', code: status.UNAUTHENTICATED }],
    ['a limit reached', 'warn', { method: 'Spec', code: status.RESOURCE_EXHAUSTED }],
  ])('has %s at level %s', (_, level, call) => {
    expect(logged(callLog, 'debug', call)).toMatchObject([{ level }]);
  });
});

describe('The audit log', () => {
  const digest = 'ab'.repeat(32);

  test.each<[string, Call, Record<string, unknown>]>([
    [
      'a load',
      { method: 'LoadHandle', facts: { btfId: 7, btfBytes: 53, digest, leased: true } },
      { action: 'load', outcome: 'granted', btfId: 7, btfBytes: 53, digest },
    ],
    [
      'a load that the kernel rejected, returned as a result',
      { method: 'LoadHandle', facts: { btfBytes: 53, digest, rejected: true } },
      { action: 'load', outcome: 'rejected', code: 'OK', digest },
    ],
    [
      'a load that the kernel rejected, returned as an error',
      {
        method: 'LoadHandle',
        code: status.INVALID_ARGUMENT,
        reason: ErrorReason.VERIFIER_REJECTED,
        facts: { btfBytes: 53, digest },
      },
      { action: 'load', outcome: 'rejected', reason: 'VERIFIER_REJECTED', digest },
    ],
    [
      'a load that found no room',
      { method: 'LoadHandle', code: status.RESOURCE_EXHAUSTED, reason: ErrorReason.LOAD_QUEUE_FULL },
      { action: 'load', outcome: 'failed', reason: 'LOAD_QUEUE_FULL' },
    ],
    [
      'a handle that is taken',
      { method: 'TakeHandle', facts: { btfId: 7, btfBytes: 53, leased: true } },
      { action: 'take', outcome: 'granted', btfId: 7, btfBytes: 53 },
    ],
    [
      'a handle by id',
      { method: 'GetHandleById', facts: { leased: true } },
      { action: 'take', outcome: 'granted' },
    ],
    ['a clone', { method: 'CloneHandle', facts: { leased: true } }, { action: 'take', outcome: 'granted' }],
    [
      'a clone whose client left before its status',
      { method: 'CloneHandle', code: status.CANCELLED, facts: { leased: true } },
      { action: 'take', outcome: 'granted', code: 'CANCELLED' },
    ],
    [
      'a load whose client left before its lease',
      { method: 'LoadHandle', code: status.CANCELLED, facts: { btfId: 7, btfBytes: 53, digest } },
      { action: 'load', outcome: 'failed', code: 'CANCELLED', btfId: 7 },
    ],
    [
      'a refusal',
      { method: 'Spec', code: status.PERMISSION_DENIED, reason: ErrorReason.DAEMON_LACKS_CAPABILITY },
      { action: 'refusal', outcome: 'refused', reason: 'DAEMON_LACKS_CAPABILITY' },
    ],
    [
      'a caller without credentials',
      { method: 'LoadHandle', code: status.UNAUTHENTICATED },
      { action: 'refusal', outcome: 'refused' },
    ],
  ])('has %s, at every level of the log', (_, call, expected) => {
    const { method } = call;
    expect(logged(auditLog, 'error', call)).toMatchObject([
      {
        level: 'info',
        audit: true,
        msg: 'audit',
        requestId: 'r1',
        principal: 'uid:1000',
        method,
        ...expected,
      },
    ]);
  });

  test.each<Call>([
    { method: 'Spec' },
    { method: 'RenewHandles' },
    { method: 'TakeHandle', code: status.NOT_FOUND },
    { method: 'GetHandleById', code: status.CANCELLED },
  ])('does not have %j', (call) => {
    expect(logged(auditLog, 'debug', call)).toEqual([]);
  });

  test('is silent if the log is', () => {
    expect(logged(auditLog, 'silent', { method: 'LoadHandle' })).toEqual([]);
  });
});
