import { closeSync, fstatSync, openSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { isJournal, withPriority } from './journal.js';

test('The journal reads a stream only if its device and inode are those that systemd names', () => {
  const fd = openSync('/dev/null', 'w');
  const { dev, ino } = fstatSync(fd);
  expect(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino}` })).toBe(true);
  expect(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino + 1}` })).toBe(false);
  expect(isJournal(fd, { JOURNAL_STREAM: 'nonsense' })).toBe(false);
  expect(isJournal(fd, {})).toBe(false);
  closeSync(fd);
  expect(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino}` })).toBe(false);
});

test.each([
  ['fatal', 2],
  ['error', 3],
  ['warn', 4],
  ['info', 6],
  ['debug', 7],
  ['trace', 7],
  ['made up', 7],
])('The level %s has the priority %i, on each line of the text', (level, priority) => {
  const line = JSON.stringify({ level, msg: 'hello' });
  expect(withPriority(line, `${line}\n`)).toBe(`<${priority}>${line}\n`);
  expect(withPriority(line, 'hello\n    at x\n')).toBe(`<${priority}>hello\n<${priority}>    at x\n`);
});
