import { readdirSync, readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { runBtfctl } from '../main.js';
import { FORMATS } from '../output/formats.js';
import { Output } from '../output/output.js';
import { makeProgram } from '../program.js';
import { COMMAND_FORMATS, commandName } from './command-formats.js';

const DOCUMENT = new URL('../../../../docs/btfctl.md', import.meta.url);
const SCHEMAS = new URL('../../schema/', import.meta.url);

/** Arguments for the commands that require some. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  hold: ['vmlinux', '--', 'true'],
  completion: ['bash'],
  ...Object.fromEntries(
    ['dump', 'layout', 'find', 'member', 'value', 'load', 'check'].map((name) => [name, ['x']]),
  ),
  diff: ['a', 'b'],
  'context use': ['x'],
  'context set': ['x'],
  'context remove': ['x'],
};

const ENTRIES = Object.entries(COMMAND_FORMATS);
const REFUSED = ENTRIES.flatMap(([name, { formats }]) =>
  FORMATS.filter((format) => !formats.includes(format)).map((format) => ({ name, format, formats })),
);

class Text extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

test('the table has each command that has no commands of its own', () => {
  const leaves = (command: Command): string[] =>
    command.commands.length === 0 ? [commandName(command)] : command.commands.flatMap(leaves);
  const io = { stdout: new Text(), stderr: new Text(), env: {} };
  const program = makeProgram(
    { io, interrupted: new AbortController().signal, ended: () => {} },
    new Output(io.stdout, { pager: null, env: {} }),
  );
  expect(leaves(program)).toEqual(ENTRIES.map(([name]) => name));
});

test('the documentation has the same table', () => {
  const [, section = ''] = /^## JSON$([^]*?)^## /m.exec(readFileSync(DOCUMENT, 'utf8')) ?? [];
  const rows = [...section.matchAll(/^\| `([^`]+)` +\| (.*?) +\| (.*?) +\|$/gm)];
  expect(
    rows.map(([, name, formats, schema]) => [name, formats, schema?.replace(/^\[`(.*?)`\].*$/, '$1')]),
  ).toEqual(
    ENTRIES.map(([name, { formats, schema }]) => [
      name,
      formats.map((format) => `\`${format}\``).join(', '),
      schema ?? '–',
    ]),
  );
});

test('each command that prints JSON has a schema, and each schema has a command', () => {
  const named = ENTRIES.flatMap(([, { schema }]) => (schema === null ? [] : [schema]));
  expect(named.toSorted()).toEqual(readdirSync(SCHEMAS).toSorted());
  for (const [, { formats, schema }] of ENTRIES) expect(formats.includes('json')).toBe(schema !== null);
});

test.each(REFUSED)(
  '$name -o $format is rejected before it does anything',
  async ({ name, format, formats }) => {
    const io = { stdout: new Text(), stderr: new Text(), env: { BTFD_ADDRESS: 'unix:/nonexistent.sock' } };
    const args = [...name.split(' '), '-o', format, ...(ARGUMENTS[name] ?? [])];
    expect(await runBtfctl(args, io, new AbortController().signal)).toBe(2);
    expect(io.stdout.text).toBe('');
    expect(io.stderr.text.split('\n')[0]).toBe(
      `btfctl: ${name} does not support -o ${format}: use ${formats.map((one) => `-o ${one}`).join(' or ')}`,
    );
  },
);
