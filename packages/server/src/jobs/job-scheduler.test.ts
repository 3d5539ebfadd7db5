import { expect, test } from '@jest/globals';
import type { Item, Job, Steps } from '../pool/job.js';
import { JobScheduler } from './job-scheduler.js';
import { CURRENT_JOB, STEP_COUNT, type FromWorker } from '../pool/protocol.js';

const BTF = { digest: '', bytes: new Uint8Array() };

/** A scheduler of jobs that record their steps. The test makes the turns. */
function setUp() {
  const events: string[] = [];
  const turns: (() => void)[] = [];
  const state = new Int32Array(2);
  function* steps(job: Job): Steps<Item> {
    const name = job.name === 'resolve' ? job.paths.join() : '';
    for (let step = 1; ; step++) {
      events.push(`${name}${step} of job ${state[CURRENT_JOB]}`);
      yield step % 2 === 0 ? Uint8Array.of(step) : null;
    }
  }
  const send = (message: FromWorker): void => {
    events.push(`${message.kind} of job ${message.id}`);
  };
  const scheduler = new JobScheduler(steps, state, send, (turn) => turns.push(turn));
  return {
    events,
    state,
    scheduler,
    start: (id: number, name: string, owner = 'uid:0') =>
      scheduler.receive({
        kind: 'start',
        id,
        owner,
        job: { name: 'resolve', btf: BTF, base: null, paths: [name], digest: BTF.bytes },
      }),
    run: () => {
      while (turns.length > 0) turns.shift()?.();
    },
    once: () => turns.shift()?.(),
  };
}

test('Jobs take turns step by step, up to the requested item', () => {
  const { events, scheduler, state, start, run } = setUp();
  start(1, 'a');
  start(2, 'b');
  run();
  expect(events.splice(0)).toEqual([
    'a1 of job 1',
    'b1 of job 2',
    'a2 of job 1',
    'item of job 1',
    'b2 of job 2',
    'item of job 2',
  ]);
  scheduler.receive({ kind: 'next', id: 2 });
  run();
  expect(events).toEqual(['b3 of job 2', 'b4 of job 2', 'item of job 2']);
  expect([state[CURRENT_JOB], state[STEP_COUNT]]).toEqual([0, 6]);
});

test('Owners take turns, however many jobs one has', () => {
  const { events, scheduler, start, run } = setUp();
  for (const id of [1, 2, 3]) start(id, 'a', 'uid:1');
  start(4, 'b', 'uid:2');
  run();
  expect(events.filter((event) => /^[ab]/.test(event))).toEqual([
    'a1 of job 1',
    'b1 of job 4',
    'a1 of job 2',
    'b2 of job 4',
    'a1 of job 3',
    'a2 of job 1',
    'a2 of job 2',
    'a2 of job 3',
  ]);
  for (const id of [1, 2, 3, 4]) scheduler.receive({ kind: 'cancel', id });
  events.splice(0);
  start(5, 'b', 'uid:2');
  scheduler.receive({ kind: 'next', id: 4 });
  run();
  expect(events).toEqual(['b1 of job 5', 'b2 of job 5', 'item of job 5']);
});

test('A cancelled job has no more steps', () => {
  const { events, scheduler, start, run, once } = setUp();
  start(1, 'a');
  once();
  scheduler.receive({ kind: 'cancel', id: 1 });
  scheduler.receive({ kind: 'next', id: 1 });
  run();
  expect(events).toEqual(['a1 of job 1']);
});
