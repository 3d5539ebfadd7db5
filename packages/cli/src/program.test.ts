import { readdirSync, readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { Output } from './output/output.js';
import { makeProgram } from './program.js';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));

const sink = new Writable();
const program = makeProgram(
  {
    io: { stdout: sink, stderr: sink, env: {} },
    interrupted: new AbortController().signal,
    ended: () => {},
  },
  new Output(sink, { pager: null, env: {} }),
);

/** Returns the commands in the texts of the sources: those between backquotes that start with `btfctl`. */
function namedCommands(): string[] {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(SOURCES + name, 'utf8').replaceAll(/\$\{[^}]*\}/g, 'X'));
  const commands = [...texts.join('\n').matchAll(/`(btfctl [^`\\]+)/g)];
  return [...new Set(commands.map(([, command = '']) => command.replaceAll(/\s+/g, ' ')))].toSorted();
}

function child(command: Command, name: string): Command | undefined {
  return command.commands.find((one) => one.name() === name || one.aliases().includes(name));
}

test.each(namedCommands().filter((command) => command !== 'btfctl X --help'))(
  'the command `%s` that a text names exists, with its options',
  (line) => {
    const words = line.split(' ').slice(1);
    let command = program;
    const flags = new Set(['--help']);
    for (const word of words) {
      if (word === '--') break;
      if (word.startsWith('-')) flags.add(word);
      else command = child(command, word) ?? command;
    }
    const known = [program, command].flatMap(({ options }) =>
      options.flatMap(({ short, long }) => [short, long]),
    );
    expect(known.concat('--help')).toEqual(expect.arrayContaining([...flags]));
    const first = words.find((word) => /^[a-z]+$/.test(word)) ?? '';
    expect(first === '' || child(program, first) !== undefined || first === 'help').toBe(true);
  },
);

/** Returns the commands of the program for arguments. */
function commandsFor(line: string): string[] {
  const io = { stdout: sink, stderr: sink, env: {} };
  const interrupted = new AbortController().signal;
  const help = new Output(sink, { pager: null, env: {} });
  const { commands } = makeProgram({ io, interrupted, ended: () => {} }, help, line.split(' '));
  return commands.map((command) => command.name());
}

test.each(['list', 'list header', '-q --address list list --help', '--context dump -o json list vmlinux'])(
  'the program for `%s` has only that command',
  (line) => {
    expect(commandsFor(line)).toEqual(['list']);
  },
);

test.each([
  '',
  'show',
  'help list',
  '--help list',
  '--version',
  'lisst',
  'constructor',
  '--output=json list',
  '-ojson list',
  '-- list',
  '--address',
])('the program for `%s` has all commands', (line) => {
  expect(commandsFor(line).length).toBeGreaterThan(10);
});
