import { describe, expect, test } from '@jest/globals';
import { BtfError, status } from '@btfd/client';
import type { NodeOutcome } from '@btfd/fleet';
import { ExitCode } from '../error/exit-code.js';
import { failureText, fleetExitCode, foldedFailures, missingText, nodesData } from './outcomes.js';

const failed = (kind: 'unreachable' | 'refused' | 'starved', code: status, message: string): NodeOutcome => ({
  kind,
  error: new BtfError({ code, reason: null, message }),
});
const silent = (name: string): NodeOutcome =>
  failed('unreachable', status.DEADLINE_EXCEEDED, `no response in time from the daemon at ${name}.example:1`);
const untrusted = (name: string): NodeOutcome =>
  failed(
    'unreachable',
    status.UNAVAILABLE,
    `the daemon at ${name}.example:1 cannot be reached: certificate has expired`,
  );

const nodes = (outcomes: Readonly<Record<string, NodeOutcome>>) => ({
  outcomes: new Map(Object.entries(outcomes)),
  addresses: new Map(Object.keys(outcomes).map((name) => [name, `${name}.example:1`])),
});

test('The reason of a node without an address stays as it is', () => {
  const error = new BtfError({
    code: status.INTERNAL,
    reason: null,
    message: 'its SRV record has the port 0',
  });
  expect(failureText({ kind: 'failed', error }, '')).toBe('its SRV record has the port 0');
});

describe('Nodes without an answer', () => {
  const some = nodes({
    ok: { kind: 'answered' },
    same: { kind: 'inferred', from: 'ok' },
    a: silent('a'),
    b: silent('b'),
    c: failed(
      'unreachable',
      status.UNAVAILABLE,
      'cannot connect to c.example:1: connection refused (ECONNREFUSED)',
    ),
    d: failed(
      'unreachable',
      status.UNAVAILABLE,
      'cannot connect to d.example:1: connection refused (ECONNREFUSED)',
    ),
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
    h: untrusted('h'),
    i: untrusted('i'),
    g: failed('refused', status.PERMISSION_DENIED, 'the role viewer is needed'),
  });

  test('are folded if they fail for one reason, whatever their addresses are', () => {
    expect(foldedFailures(some).map(({ message, nodes: names }) => [names.join(), message])).toEqual([
      ['h,i', 'certificate has expired'],
      ['c,d', 'connection refused (ECONNREFUSED)'],
      ['a,b', 'no response in time'],
      ['e,f', 'no response in time, but btfctl itself did not run for a second of it'],
      ['g', 'the role viewer is needed'],
    ]);
  });

  test('are counted by kind', () => {
    expect(missingText(some)).toBe('9 of 11 nodes gave no answer: 6 unreachable, 2 starved, 1 refused');
    expect(missingText(nodes({ ok: { kind: 'answered' } }))).toBeNull();
  });

  test('give the exit code 9, and 6 if no node has an answer, unless that of the results is another', () => {
    expect(fleetExitCode(some, ExitCode.OK)).toBe(9);
    expect(fleetExitCode(some, ExitCode.INCOMPATIBLE)).toBe(8);
    expect(fleetExitCode(nodes({ a: silent('a') }), ExitCode.OK)).toBe(6);
    expect(fleetExitCode(nodes({ ok: { kind: 'answered' } }), ExitCode.OK)).toBe(0);
  });

  test('are listed by name for programs, in whatever order they answered', () => {
    const both = nodes({ web2: { kind: 'answered' }, web1: silent('web1') });
    expect(nodesData(both)).toEqual([
      {
        name: 'web1',
        address: 'web1.example:1',
        outcome: 'unreachable',
        error: 'no response in time from the daemon at web1.example:1',
      },
      { name: 'web2', address: 'web2.example:1', outcome: 'answered' },
    ]);
  });
});
