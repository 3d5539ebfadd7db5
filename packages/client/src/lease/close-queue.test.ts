import { EventEmitter, once } from 'node:events';
import { expect, test } from '@jest/globals';
import { CloseQueue } from './close-queue.js';

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('runs one call at a time, and closes handles that are added in the meantime with the next', async () => {
  const calls: string[][] = [];
  const gate = new EventEmitter();
  const queue = new CloseQueue(
    async (tokens) => {
      calls.push([...tokens]);
      await once(gate, 'open');
    },
    () => {},
  );
  queue.add('a');
  queue.add('b');
  queue.add('c');
  expect(calls).toEqual([['a']]);
  gate.emit('open');
  await turn();
  expect(calls).toEqual([['a'], ['b', 'c']]);
  gate.emit('open');
  await turn();
  queue.add('d');
  expect(calls).toEqual([['a'], ['b', 'c'], ['d']]);
});

test('reports a failure, and closes nothing after it', async () => {
  const calls: string[][] = [];
  const failures: unknown[] = [];
  const failure = new Error('away');
  const queue = new CloseQueue(
    async (tokens) => {
      calls.push([...tokens]);
      throw failure;
    },
    (error) => failures.push(error),
  );
  queue.add('a');
  await turn();
  queue.add('b');
  await turn();
  expect(calls).toEqual([['a']]);
  expect(failures).toEqual([failure]);
});
