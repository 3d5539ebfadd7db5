import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { columnsOf, type Stream, wantsColor } from './terminal.js';

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
