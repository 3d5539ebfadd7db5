import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { COMPLETE } from '../grammar/completion.js';
import { Output } from '../output/output.js';
import { makeProgram } from '../program.js';
import { COMMANDS } from './start.js';

test('each command has a file of compiled code', () => {
  const sink = new Writable();
  const io = { stdout: sink, stderr: sink, env: {} };
  const interrupted = new AbortController().signal;
  const help = new Output(sink, { pager: null, env: {} });
  const program = makeProgram({ io, interrupted, ended: () => {} }, help);
  expect([COMPLETE, ...program.commands.map((command) => command.name())]).toEqual(COMMANDS);
});
