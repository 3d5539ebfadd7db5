import { expect, test } from '@jest/globals';
import { BtfError, status } from '@btfd/client';
import { warnOfMissing } from './fleet-text.js';

test('An error of a daemon has one line, so that it cannot pass for those of btfctl', () => {
  const message = 'x\nbtfctl: all nodes gave an answer\u001b[2J';
  const error = new BtfError({ code: status.NOT_FOUND, reason: null, message });
  const nodes = { outcomes: new Map([['web1', { kind: 'failed', error } as const]]), addresses: new Map() };
  const warnings: string[] = [];
  warnOfMissing({ warn: (text) => warnings.push(text), noteOnce: () => {} }, nodes, false);
  expect(warnings).toEqual([
    '1 of 1 node gave no answer: 1 failed\n1 failed: x\uFFFDbtfctl: all nodes gave an answer\uFFFD[2J: web1',
  ]);
});

test('Each reason has its own hint', () => {
  const refused = (message: string) =>
    ({
      kind: 'unreachable',
      error: new BtfError({ code: status.UNAVAILABLE, reason: 'UNREACHABLE', message }),
    }) as const;
  const outcomes = new Map([
    ['a', refused('wrong version number')],
    ['b', refused('self-signed certificate')],
  ]);
  const warnings: string[] = [];
  const session = { warn: (text: string) => warnings.push(text), noteOnce: () => {} };
  warnOfMissing(session, { outcomes, addresses: new Map() }, false);
  expect(warnings.join().split('\n')).toEqual([
    '2 of 2 nodes gave no answer: 2 unreachable',
    '1 unreachable: self-signed certificate: b',
    expect.stringMatching(/^ {2}hint: its certificate is not from an authority that you trust/),
    '1 unreachable: wrong version number: a',
    expect.stringMatching(/^ {2}hint: it does not use TLS there/),
  ]);
});
