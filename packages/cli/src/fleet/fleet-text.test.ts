import { expect, test } from '@jest/globals';
import { BtfError, status } from '@btfd/client';
import { warnOfMissing } from './fleet-text.js';

test('An error of a daemon has one line, so that it cannot pass for those of btfctl', () => {
  const message = 'x\nbtfctl: all nodes gave an answer\u001b[2J';
  const error = new BtfError({ code: status.NOT_FOUND, reason: null, message });
  const nodes = { outcomes: new Map([['web1', { kind: 'failed', error } as const]]), addresses: new Map() };
  const warnings: string[] = [];
  warnOfMissing({ warn: (text) => warnings.push(text), note: () => {}, noteOnce: () => {} }, nodes, false);
  expect(warnings).toEqual([
    '1 of 1 node gave no answer: 1 failed\n1 failed: x\uFFFDbtfctl: all nodes gave an answer\uFFFD[2J: web1',
  ]);
});
