import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { FakeDaemon } from './fake-daemon/index.js';
import { tinyBtf } from './testing/tiny-btf.js';
import { until } from './testing/promises.js';

const BUILT = new URL('../dist/index.js', import.meta.url).href;

// Together, because each of them mostly waits.
test.concurrent.each([
  ['a client that was never closed', 'await client.serverInfo();'],
  // Its lease is renewed after a third of it, which shows by the rest of the TTL.
  [
    'a handle that was never closed',
    `globalThis.handle = await client.getHandleById(1, { ttl: 12_000 });
     handle.lost.addEventListener('abort', () => {});
     for (let left = Infinity, renewed = false; !renewed; await setTimeout(20)) {
       const { remainingTtl } = await handle.inspect();
       renewed = remainingTtl > left;
       left = remainingTtl;
     }`,
  ],
  [
    'a handle that was loaded',
    `globalThis.handle = await client.loadHandle(await client.rawBtf('vmlinux'));`,
  ],
  ['an iteration that was left', 'for await (const _ of client.iterateHandles()) break;'],
  ['a watch that was left', 'for await (const _ of client.watchHandles()) break;'],
  [
    'a watch whose signal was aborted',
    `const end = new AbortController();
     const watch = client.watchHandles({ signal: end.signal });
     await watch.next();
     end.abort();`,
  ],
  ['a watch whose client was closed', 'await client.watchHandles().next(); await client.close();'],
])('%s does not keep the process alive', async (_, use) => {
  await using daemon = await FakeDaemon.start({ objects: [{ id: 1, name: 'vmlinux', btf: tinyBtf('u32') }] });
  const program = `
    import { setTimeout } from 'node:timers/promises';
    import { BtfClient } from ${JSON.stringify(BUILT)};
    const client = new BtfClient(${JSON.stringify(daemon.address)}, { onDaemonChange() {} });
    ${use}
    console.log('used');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 120_000,
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
  let output = '';
  child.stdout?.on('data', (text) => (output += text));
  await until(() => output.includes('synced'));
  await daemon[Symbol.asyncDispose]();
  // Longer than the first attempts to connect take.
  await setTimeout(400);
  expect([child.exitCode, output]).toEqual([null, 'present\nsynced\n']);
  const exited = once(child, 'exit');
  child.kill();
  await exited;
});
