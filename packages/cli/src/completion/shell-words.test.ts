import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { splitWords, unquoted } from './shell-words.js';

/** Returns the words that bash makes of a line. */
function bashWords(line: string): string[] {
  const printed = execFileSync('bash', ['--norc', '-c', `printf '%s\\0' ${line}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return printed.split('\0').slice(0, -1);
}

test.each([
  'btfctl list vmlinux',
  'btfctl  layout\t"struct list_head"',
  String.raw`btfctl layout struct\ list_head a\\b`,
  `btfctl layout 'struct list_head' "it's" 'say "x"'`,
  String.raw`btfctl --tls-ca="a \"b\" \\ \c".pem x'y'"z"`,
  '"/opt/my tools/btfctl" dump a=b @web1/x id:7 "" b',
  "btfctl a'' ''b",
])('%s is split as bash splits it', (line) => {
  expect(splitWords(`${line} `).before).toEqual(bashWords(line));
});

test.each([
  ['btfctl li', ['btfctl'], 'li'],
  ['btfctl layout "struct li', ['btfctl', 'layout'], 'struct li'],
  ["btfctl layout 'struct li", ['btfctl', 'layout'], 'struct li'],
  [String.raw`btfctl layout struct\ li`, ['btfctl', 'layout'], 'struct li'],
  [String.raw`btfctl layout struct${'\\'}`, ['btfctl', 'layout'], 'struct\\'],
  ['btfctl list ', ['btfctl', 'list'], ''],
  ['', [], ''],
])('the word at the cursor of %s need not have an end', (line, before, current) => {
  expect(splitWords(line)).toEqual({ before, current, isRedirection: false });
});

test('variables and commands are neither expanded nor run', () => {
  expect(splitWords('btfctl -a $HOME $(id) `id` x')).toMatchObject({
    before: ['btfctl', '-a', '$HOME', '$', 'id', '`id`'],
    current: 'x',
  });
});

test.each([
  ['btfctl dump vmlinux > fi', true, 'fi'],
  ['btfctl dump vmlinux 2>fi', true, 'fi'],
  ['btfctl dump vmlinux >> "a f', true, 'a f'],
  ['btfctl dump vmlinux > file x', false, 'x'],
  ['btfctl dump vmlinux 2>file x', false, 'x'],
])('a redirection is not a word of the command: %s', (line, isRedirection, current) => {
  expect(splitWords(line)).toEqual({ before: ['btfctl', 'dump', 'vmlinux'], current, isRedirection });
});

test('a single word is unquoted with the spaces in it', () => {
  expect(unquoted('"struct li')).toBe('struct li');
  expect(unquoted('struct li')).toBe('struct li');
  expect(unquoted(String.raw`struct\ li`)).toBe('struct li');
});
