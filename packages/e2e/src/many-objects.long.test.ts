import { expect } from '@jest/globals';
import { btfLoad, type BtfFd } from '@btfd/native';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';

/** A look at each of them takes seven times what a call takes. Other tests at the same time would list them all. */
const OBJECTS = 10_000;
const CALLS = 100;

needs('bpf').test('A name that nothing has costs the same however many objects there are', async () => {
  await using daemon = await DaemonProcess.start();
  using client = new RawClient(daemon.address);
  const source = { case: 'name', value: 'nothing' } as const;
  const cost = async (): Promise<number> => {
    const before = daemon.cpuMs();
    for (let count = 0; count < CALLS; count += 1) {
      const error = await failureOf(client.call('resolveMembers', { source, paths: ['task_struct.pid'] }));
      expect(errorInfoOf(error).reason).toBe('NAME_NOT_FOUND');
    }
    return daemon.cpuMs() - before;
  };
  // The first calls compile the code.
  await cost();
  const withFew = await cost();
  const held: BtfFd[] = [];
  try {
    for (let count = 0; count < OBJECTS; count += 1) held.push(await btfLoad(intBtf(1, 'many'), 0));
    expect(await cost()).toBeLessThan(3 * withFew);
  } finally {
    for (const each of held) each.close();
  }
});
