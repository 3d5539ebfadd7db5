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
  ['a client that was never closed does', 'await client.serverInfo();'],
  // Its lease is renewed after 1.5 s. Where the machine is too slow for that it is still held.
  [
    'a handle that was never closed does',
    `globalThis.handle = await client.getHandleById(1, { ttl: 4_500 });
     handle.lost.addEventListener('abort', () => {});
     await setTimeout(2_000);
     await handle.inspect();`,
  ],
  [
    'a handle that was loaded does',
    `globalThis.handle = await client.loadHandle(await client.rawBtf('vmlinux'));`,
  ],
  ['an iteration that was left does', 'for await (const _ of client.iterateHandles()) break;'],
  ['a watch that was left does', 'for await (const _ of client.watchHandles()) break;'],
  [
    'a watch whose signal was aborted does',
    `const end = new AbortController();
     const watch = client.watchHandles({ signal: end.signal });
     await watch.next();
     end.abort();`,
  ],
  ['a watch whose client was closed does', 'await client.watchHandles().next(); await client.close();'],
])('%s not keep the process alive', async (_, use) => {
  await using daemon = await FakeDaemon.start({ objects: [{ id: 1, name: 'vmlinux', btf: tinyBtf('u32') }] });
  const program = `
    import { setTimeout } from 'node:timers/promises';
    import { BtfClient } from ${JSON.stringify(BUILT)};
    const client = new BtfClient(${JSON.stringify(daemon.address)}, { onDaemonChange() {} });
    ${use}
    console.log('used');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 25_000,
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
