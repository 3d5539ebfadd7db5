import { expect, test } from '@jest/globals';
import { runCli } from '../testing/run-cli.js';
import { COMMAND_FORMATS } from './command-formats.js';
import { EXAMPLES } from './examples.js';

const COMMANDS = Object.keys(COMMAND_FORMATS);

test('each command has two or three examples', () => {
  expect(Object.keys(EXAMPLES).toSorted()).toEqual(COMMANDS.toSorted());
  for (const lines of Object.values(EXAMPLES)) expect([2, 3]).toContain(lines.length);
});

test.each(COMMANDS)('the help of %s ends with its examples', async (name) => {
  const { stdout } = await runCli([...name.split(' '), '--help']);
  const lines = stdout.trimEnd().split('\n');
  const examples = EXAMPLES[name] ?? [];
  expect(lines.slice(-examples.length)).toEqual(examples.map((line) => `  ${line}`));
  expect(lines.at(-examples.length - 1)).toBe('For example:');
});
