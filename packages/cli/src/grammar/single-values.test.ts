import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Command, Option } from 'commander';
import { Output } from '../output/output.js';
import { makeProgram } from '../program.js';
import { runCli } from '../testing/run-cli.js';
import { commandName } from './command-formats.js';
import { canRepeat } from './options.js';

const sink = new Writable({ write: (_chunk, _encoding, done) => done() });

function newProgram(): Command {
  return makeProgram(
    {
      io: { stdout: sink, stderr: sink, env: {} },
      interrupted: new AbortController().signal,
      ended: () => {},
    },
    new Output(sink, { pager: null, env: {} }),
  );
}

function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)];
}

/** Texts of which each option takes one. */
const TEXTS = ['x', '1', '10s', '6.1', 'k=v'];

function textFor({ argChoices: [choice] = [], parseArg }: Option): string {
  const accepts = (text: string): boolean => {
    try {
      parseArg?.(text, undefined);
      return true;
    } catch {
      return false;
    }
  };
  return choice ?? TEXTS.find(accepts) ?? '';
}

const OPTIONS = all(newProgram()).flatMap((command, index) =>
  command.options
    .filter(({ required, optional }) => required || optional)
    .map((option) => ({
      name: `${command.parent === null ? '' : `${commandName(command)} `}${option.long ?? ''}`,
      index,
      option,
      text: textFor(option),
    })),
);

test('there are options with values', () => {
  expect(OPTIONS.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['--address', '--output', 'find --in', 'fleet kernels --deadline', 'dump --type']),
  );
});

test.each(OPTIONS)('$name is refused twice, or keeps both values and says so', ({ index, option, text }) => {
  const command = all(newProgram())[index] ?? newProgram();
  const twice = (): unknown => command.parseOptions([option.long ?? '', text, `${option.long}=${text}`]);
  const collects = /can be repeated|for each file|give two|with commas/.test(option.description);
  expect(canRepeat(option)).toBe(collects);
  if (collects) {
    twice();
    expect(command.getOptionValue(option.attributeName())).toHaveLength(2);
  } else {
    expect(twice).toThrow(
      `option '${option.flags}' is given twice, with "${text}" and "${text}": give it once`,
    );
  }
});

test.each([
  [['-o', 'json', 'list', '-oyaml'], '-o, --output <format>', 'json', 'yaml'],
  [['--address', 'unix:/a', 'list', '--address=unix:/b'], '-a, --address <address>', 'unix:/a', 'unix:/b'],
  [['find', 'x', '-i', 'a', '--in', 'b'], '-i, --in <spec>', 'a', 'b'],
  [['fleet', 'kernels', '--dns', 'a:1', '--dns', 'b:1'], '--dns <name:port>', 'a:1', 'b:1'],
])('%j is a usage error before anything is done', async (args, flags, first, second) => {
  const { status, stdout, stderr } = await runCli(args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(
    `btfctl: option '${flags}' is given twice, with "${first}" and "${second}": give it once\n`,
  );
});
