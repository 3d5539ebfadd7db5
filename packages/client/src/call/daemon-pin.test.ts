import { expect, test } from '@jest/globals';
import { type DaemonChange, DaemonPin } from './daemon-pin.js';

function pin(): { readonly pin: DaemonPin; readonly changes: DaemonChange[] } {
  const changes: DaemonChange[] = [];
  return { pin: new DaemonPin((change) => changes.push(change)), changes };
}

test('the first daemon is not a change, nor is its boot id when it becomes known', () => {
  const { pin: daemon, changes } = pin();
  daemon.observe('a');
  daemon.observe('a', 'boot');
  daemon.observe('a');
  expect(changes).toEqual([]);
});

test('another epoch is a change, reported once, with both identities', () => {
  const { pin: daemon, changes } = pin();
  daemon.observe('a', 'boot');
  daemon.observe('b', 'other boot');
  daemon.observe('b');
  expect(changes).toEqual([
    { previous: { epoch: 'a', bootId: 'boot' }, current: { epoch: 'b', bootId: 'other boot' } },
  ]);
});

test('a response without an epoch is ignored', () => {
  const { pin: daemon, changes } = pin();
  daemon.observe('a');
  daemon.observe('');
  expect(changes).toEqual([]);
});
