import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { Metadata, status } from '@grpc/grpc-js';
import type { CallEnd, CallFacts, CallObserver } from '../grpc/interceptor/call-observer.js';
import { logLines } from '../testing/log-lines.js';
import { ManualClock } from '../testing/manual-clock.js';
import { auditBudget, auditLog } from './audit-log.js';
import { callBudget, callLog } from './call-log.js';
import { WINDOW_MS, type LineBudget } from './line-budget.js';

const MOST = 3;
const FAILED = { code: status.INVALID_ARGUMENT, reason: ErrorReason.INVALID_REQUEST };
const REFUSED = { code: status.PERMISSION_DENIED, reason: ErrorReason.ROLE_FORBIDS };

interface Call {
  readonly principal?: string | null;
  readonly method?: string;
  readonly facts?: CallFacts;
  readonly end?: Pick<CallEnd, 'code' | 'reason'>;
}

/** A log with a budget of three lines, and a function that ends calls. */
function setUp(which: 'call' | 'audit', level = 'info') {
  const { logger, lines } = logLines(level);
  const clock = new ManualClock();
  const [make, makeBudget] = which === 'call' ? [callLog, callBudget] : [auditLog, auditBudget];
  const budget: LineBudget = makeBudget(logger, MOST, clock);
  const observer: CallObserver = make(logger, budget);
  return {
    lines,
    clock,
    budget,
    calls: (
      count: number,
      { principal = 'uid:1', method = 'Spec', facts = {}, end = FAILED }: Call = {},
    ): void => {
      for (let index = 0; index < count; index++) {
        const metadata = new Metadata();
        const names = { service: 'btf.v1.BtfService', method, unknownPath: null, requestId: 'r', peer: '' };
        observer
          .begin({ ...names, principal, metadata, facts })
          .end({ ...end, durationMs: 1, sentMessages: 0, sentBytes: 0, receivedBytes: 0 });
      }
    },
  };
}

describe('If one principal has many failed calls', () => {
  test('the first are logged, and the others are counted at the end of the window', () => {
    const { lines, clock, calls } = setUp('call');
    calls(10);
    expect(lines).toHaveLength(MOST);
    clock.advance(WINDOW_MS);
    expect(lines.slice(MOST)).toMatchObject([{ level: 'warn', principal: 'uid:1', leftOut: 7 }]);
    expect(clock.timers).toBe(0);
    calls(1);
    expect(lines.at(-1)).toMatchObject({ msg: 'call' });
  });

  test('because the daemon can open no file, they have one line, whoever makes them', () => {
    const { logger, lines } = logLines('info');
    const clock = new ManualClock();
    const observer = callLog(logger, callBudget(logger, MOST, clock), callBudget(logger, 1, clock));
    const facts = { facts: {}, metadata: new Metadata(), requestId: 'r', peer: '', unknownPath: null };
    const end = { durationMs: 1, sentMessages: 0, sentBytes: 0, receivedBytes: 0 };
    for (let count = 0; count < 10; count++) {
      const call = { ...facts, service: 'btf.v1.BtfService', method: 'Spec', principal: `uid:${count}` };
      const failure = { code: status.RESOURCE_EXHAUSTED, reason: ErrorReason.OUT_OF_FILES };
      observer.begin(call).end({ ...end, ...failure });
    }
    expect(lines).toMatchObject([{ principal: 'uid:0', reason: 'OUT_OF_FILES' }]);
    clock.advance(WINDOW_MS);
    expect(lines.slice(1)).toMatchObject([{ level: 'warn', reason: 'OUT_OF_FILES', leftOut: 9 }]);
  });

  test('the calls of others and of unknown callers are still logged', () => {
    const { lines, calls } = setUp('call');
    calls(10);
    calls(1, { principal: 'uid:2' });
    calls(10, { principal: null });
    expect(lines.map(({ principal }) => principal)).toEqual([
      'uid:1',
      'uid:1',
      'uid:1',
      'uid:2',
      null,
      null,
      null,
    ]);
  });

  test('all are logged at debug', () => {
    const { lines, calls } = setUp('call', 'debug');
    calls(10, { end: { code: status.OK, reason: null } });
    calls(10);
    expect(lines).toHaveLength(20);
  });

  test('calls below the log level do not count', () => {
    const { lines, clock, calls } = setUp('call', 'warn');
    calls(10);
    calls(10, { end: { code: status.OK, reason: null } });
    calls(MOST, { end: REFUSED });
    clock.advance(WINDOW_MS);
    expect(lines.map(({ code }) => code)).toEqual(Array<string>(MOST).fill('PERMISSION_DENIED'));
  });

  test('but not too many, all are logged, without a count', () => {
    const { lines, clock, calls } = setUp('call');
    calls(MOST);
    clock.advance(WINDOW_MS);
    expect(lines).toHaveLength(MOST);
  });

  test('the others are counted when the daemon ends, at the latest', () => {
    const { lines, clock, budget, calls } = setUp('call');
    calls(5);
    budget.flush();
    expect([lines.at(-1)?.['leftOut'], clock.timers]).toEqual([2, 0]);
  });
});

describe('The audit log', () => {
  test('has budgets of its own for refusals and for takes, at every level', () => {
    const { lines, clock, calls } = setUp('audit', 'error');
    calls(10, { end: REFUSED });
    calls(2, { method: 'TakeHandle', facts: { leased: true }, end: { code: status.OK, reason: null } });
    expect(lines.map(({ action }) => action)).toEqual(['refusal', 'refusal', 'refusal', 'take', 'take']);
    clock.advance(WINDOW_MS);
    expect(lines.slice(5)).toMatchObject([
      { audit: true, action: 'refusal', principal: 'uid:1', leftOut: 7, msg: 'audit' },
    ]);
  });

  test('has every load that reached the kernel, and a budget for the others', () => {
    const { lines, calls } = setUp('audit');
    calls(10, {
      method: 'LoadHandle',
      facts: { digest: 'ab', leased: true },
      end: { code: status.OK, reason: null },
    });
    calls(10, { method: 'LoadHandle' });
    expect(lines.map(({ outcome }) => outcome)).toEqual([
      ...Array<string>(10).fill('granted'),
      ...Array<string>(MOST).fill('failed'),
    ]);
  });
});
