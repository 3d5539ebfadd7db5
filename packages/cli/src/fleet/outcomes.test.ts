import { describe, expect, test } from '@jest/globals';
import { BtfError, status } from '@btfd/client';
import type { NodeOutcome } from '@btfd/fleet';
import { ExitCode } from '../error/exit-code.js';
import { fleetExitCode, foldedFailures, missingText } from './outcomes.js';

const failed = (kind: 'unreachable' | 'refused' | 'starved', code: status, message: string): NodeOutcome => ({
  kind,
  error: new BtfError({ code, reason: null, message }),
});
/** grpc-js says how long each part of a call took. */
const silent = (seconds: number): NodeOutcome =>
  failed(
    'unreachable',
    status.DEADLINE_EXCEEDED,
    `Deadline exceeded after ${seconds}s,name resolution: 0.002s,Waiting for LB pick`,
  );

const nodes = (outcomes: Readonly<Record<string, NodeOutcome>>) => ({
  outcomes: new Map(Object.entries(outcomes)),
  addresses: new Map(Object.keys(outcomes).map((name) => [name, `${name}.example:1`])),
});

describe('Nodes without an answer', () => {
  const some = nodes({
    ok: { kind: 'answered' },
    same: { kind: 'inferred', from: 'ok' },
    a: silent(3.01),
    b: silent(2.99),
    c: failed('unreachable', status.UNAVAILABLE, 'cannot connect to c.example:1: ECONNREFUSED'),
    d: failed('unreachable', status.UNAVAILABLE, 'cannot connect to d.example:1: ECONNREFUSED'),
    e: failed(
      'starved',
      status.DEADLINE_EXCEEDED,
      'Deadline exceeded, but this process did not run for 1500 ms',
    ),
    f: failed(
      'starved',
      status.DEADLINE_EXCEEDED,
      'Deadline exceeded, but this process did not run for 1700 ms',
    ),
    g: failed('refused', status.PERMISSION_DENIED, 'the role viewer is needed'),
  });

  test('are folded if they fail for one reason, whatever their addresses and times are', () => {
    expect(foldedFailures(some).map(({ message, nodes: names }) => [names.join(), message])).toEqual([
      ['a,b', 'no response in time'],
      ['c,d', 'cannot connect to its address: ECONNREFUSED'],
      ['e,f', 'no response in time, but btfctl itself did not run for a second of it'],
      ['g', 'the role viewer is needed'],
    ]);
  });

  test('are counted by kind', () => {
    expect(missingText(some)).toBe('7 of 9 nodes gave no answer: 4 unreachable, 2 starved, 1 refused');
    expect(missingText(nodes({ ok: { kind: 'answered' } }))).toBeNull();
  });

  test('give the exit code 9, and 6 if no node has an answer, unless that of the results is another', () => {
    expect(fleetExitCode(some, ExitCode.OK)).toBe(9);
    expect(fleetExitCode(some, ExitCode.INCOMPATIBLE)).toBe(8);
    expect(fleetExitCode(nodes({ a: silent(1) }), ExitCode.OK)).toBe(6);
    expect(fleetExitCode(nodes({ ok: { kind: 'answered' } }), ExitCode.OK)).toBe(0);
  });
});
