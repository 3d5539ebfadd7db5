import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { Output } from '../output/output.js';
import { makeProgram } from '../program.js';
import { bashCompletion } from './bash.js';
import { type CommandNode, commandTree } from './command-tree.js';
import { fishCompletion } from './fish.js';
import { zshCompletion } from './zsh.js';

const sink = new Writable();
const tree = commandTree(
  makeProgram(
    {
      io: { stdout: sink, stderr: sink, env: {} },
      interrupted: new AbortController().signal,
      ended: () => {},
    },
    new Output(sink, { pager: null, env: {} }),
  ),
);

const command = (name: string): CommandNode | undefined =>
  tree.commands.find(({ names }) => names.includes(name));

test('it has each command with its alias, its options and the kind of its words', () => {
  expect(command('show')?.names).toEqual(['list', 'show']);
  expect(command('dump')?.words).toBe('object');
  expect(command('layout')?.words).toBe('type');
  expect(command('member')?.words).toBe('type');
  expect(command('load')?.words).toBe('file');
  expect(command('completion')?.words).toEqual(['bash', 'zsh', 'fish']);
  expect(command('context')?.commands.map(({ names }) => names[0])).toEqual(['list', 'use', 'set', 'remove']);
  expect(command('context')?.commands[1]?.words).toBe('context');
  const format = command('dump')?.options.find(({ flags }) => flags.includes('--format'));
  expect(format).toMatchObject({ flags: ['-f', '--format'], value: ['raw', 'c', 'json', 'layout', 'btf'] });
  expect(tree.options.find(({ flags }) => flags.includes('--quiet'))?.value).toBeNull();
  expect(tree.options.find(({ flags }) => flags.includes('--tls-ca'))?.value).toBe('file');
});

test('-o is completed with the formats of the command', () => {
  const formats = (node: CommandNode | undefined): unknown =>
    node?.options.find(({ flags }) => flags.includes('-o'))?.value;
  expect(formats(tree)).toEqual(['table', 'wide', 'json', 'yaml', 'name']);
  // It takes all of them.
  expect(formats(command('list'))).toBeUndefined();
  expect([command('hold'), command('context')?.commands[1]].map(formats)).toEqual([
    ['table', 'wide'],
    ['table', 'wide'],
  ]);
});

test.each([
  ['bash', bashCompletion],
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
])('the script for %s names every command and every option', (_, write) => {
  const script = write(tree);
  const nodes = [tree, ...tree.commands, ...tree.commands.flatMap(({ commands }) => commands)];
  for (const { names } of nodes.slice(1)) for (const name of names) expect(script).toContain(name);
  for (const flag of nodes.flatMap(({ options }) => options.flatMap(({ flags }) => flags))) {
    expect(script).toContain(flag.replace(/^--?/, ''));
  }
});
