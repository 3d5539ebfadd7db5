import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { FakeDaemon } from './fake-daemon/index.js';
import { tinyBtf } from './testing/tiny-btf.js';
import { until } from './testing/until.js';

const BUILT = new URL('../dist/index.js', import.meta.url).href;

test.each([
  ['a client and a handle that were never closed', 'await client.getHandleById(1);'],
  ['an iteration that was left', 'for await (const _ of client.iterateHandles()) break;'],
])('%s do not keep the process alive', async (_, use) => {
  await using daemon = await FakeDaemon.start({ objects: [{ id: 1, name: '', btf: tinyBtf('u32') }] });
  const program = `
    import { BtfClient } from ${JSON.stringify(BUILT)};
    const client = new BtfClient(${JSON.stringify(daemon.address)});
    ${use}
    console.log('used');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 10_000,
  });
  expect(stdout).toBe('used\n');
});

test('a watch that waits for its daemon keeps the process alive, as a call does', async () => {
  const daemon = await FakeDaemon.start({ objects: [{ btf: tinyBtf('u32') }] });
  const program = `
    import { BtfClient } from ${JSON.stringify(BUILT)};
    const client = new BtfClient(${JSON.stringify(daemon.address)});
    for await (const { type } of client.watchHandles()) console.log(type);`;
  const child = execFile(process.execPath, ['--input-type=module', '-e', program]);
  let said = '';
  child.stdout?.on('data', (text) => (said += text));
  await until(() => said.includes('synced'));
  await daemon[Symbol.asyncDispose]();
  // Longer than the first attempts to connect take.
  await setTimeout(500);
  expect([child.exitCode, said]).toEqual([null, 'present\nsynced\n']);
  const exited = once(child, 'exit');
  child.kill();
  await exited;
});
