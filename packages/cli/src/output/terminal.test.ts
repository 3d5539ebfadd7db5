import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { columnsOf, type Stream, wantsColor } from './terminal.js';
import { printable, printableText } from './safe-text.js';

const stream = (isTTY: boolean, columns = 80): Stream => Object.assign(new Writable(), { isTTY, columns });

test.each([
  ['auto', true, {}, true],
  ['auto', false, {}, false],
  ['auto', true, { NO_COLOR: '1' }, false],
  ['auto', true, { NO_COLOR: '' }, true],
  ['auto', true, { TERM: 'dumb' }, false],
  ['always', false, { NO_COLOR: '1' }, true],
  ['never', true, {}, false],
] as const)('--color %s, terminal %s, %j: %s', (choice, isTTY, env, wanted) => {
  expect(wantsColor(choice, stream(isTTY), env)).toBe(wanted);
});

test('only a terminal has a width', () => {
  expect(columnsOf(stream(true))).toBe(80);
  expect(columnsOf(stream(true, 0))).toBeNull();
  expect(columnsOf(stream(false))).toBeNull();
});

test('text of many lines keeps its line breaks and tabs, and nothing else of its kind', () => {
  expect(printableText('a\tb\n\u001B]0;x\u0007\u009B')).toBe('a\tb\n�]0;x��');
  expect(printable('a\tb\n')).toBe('a�b�');
});
