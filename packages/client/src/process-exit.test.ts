import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { FakeDaemon } from './fake-daemon/index.js';
import { tinyBtf } from './testing/tiny-btf.js';

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
