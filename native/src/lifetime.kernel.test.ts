import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { built, runNode } from './testing/run-node.js';

/** A worker that loads BTF and leaves it open, posts one message, and then runs a program. */
const WORKER = `
const source = ${JSON.stringify(`
  import { parentPort } from 'node:worker_threads';
  const native = await import(${built('index.js')});
  const { intBtf, slowBtf } = await import(${built('testing/btf-bytes.js')});
  const { vmlinuxId } = await import(${built('testing/vmlinux.js')});
  const open = await native.btfLoad(intBtf(), 0);
  parentPort.postMessage('ready');
`)};
const start = (program) => new Worker(new URL('data:text/javascript,' + encodeURIComponent(source + program)));
const ready = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
`;

needs('bpf').describe('A process', () => {
  test.each([
    ['ends with an open BtfFd', 'globalThis.btf = await native.btfLoad(intBtf(), 0);', ''],
    [
      'waits for a pending load',
      `native.btfLoad(slowBtf(2000), 0).then(() => console.log('loaded'));`,
      'loaded\n',
    ],
    [
      'waits for a pending read',
      `native.btfGetFdById(vmlinuxId()).read().then(() => console.log('read'));`,
      'read\n',
    ],
    [
      'does not wait after the last load is done',
      `await Promise.all([1, 2, 3].map((count) => native.btfLoad(intBtf(count), 0)));
       await native.btfLoad(refusedBtf(), 128).catch(() => {});`,
      '',
    ],
    [
      'can exit during loads',
      'for (let i = 0; i < 50; i++) native.btfLoad(slowBtf(2000), 0); process.exit();',
      '',
    ],
    [
      'can exit with a load inside the kernel',
      `native.btfLoad(slowBtf(5000), 0);
       await until(() => loadThreads().some(isRunning));
       process.exit();`,
      '',
    ],
    [
      'can exit during reads',
      'const btf = native.btfGetFdById(vmlinuxId()); for (let i = 0; i < 50; i++) btf.read(); process.exit();',
      '',
    ],
  ])('%s', async (_, program, stdout) => {
    expect(await runNode(program)).toEqual({ code: 0, signal: null, stdout, stderr: '' });
  });
});

needs('bpf').describe('A worker', () => {
  test('that ends does not wait for its load, closes everything else at once, and the load’s fd afterwards', async () => {
    const result = await runNode(
      `${WORKER}
      // On a busy machine the load may be over when the worker has ended, so there are several tries.
      for (let tries = 5; tries > 0 && loadThreads().length === 0; tries--) {
        const worker = start('for (const btf of [intBtf(), slowBtf(10000), slowBtf(10000)]) native.btfLoad(btf, 0); for (;;);');
        await ready(worker);
        await until(() => loadThreads().some(isRunning) && btfFds().length === 2);
        await worker.terminate();
      }
      console.log(loadThreads().length, btfFds().length);
      await until(() => loadThreads().length === 0);
      console.log(btfFds().length);`,
      { withoutNative: true },
    );
    expect(result).toEqual({ code: 0, signal: null, stdout: '1 0\n0\n', stderr: '' });
  });

  test.each([
    ['loads', 'for (let i = 0; i < 20; i++) native.btfLoad(slowBtf(1000), 0);'],
    [
      'small loads and refusals',
      'for (;;) { await Promise.all([native.btfLoad(intBtf(), 0), native.btfLoad(intBtf().fill(0, 0, 2), 4096).catch(() => {})]); }',
    ],
    [
      'calls',
      `for (;;) {
         const copy = open.dup();
         native.btfGetFdById(copy.info().id).close();
         try { native.btfGetFdById(0); } catch {}
         copy.close();
       }`,
    ],
    [
      'reads',
      'const vmlinux = native.btfGetFdById(vmlinuxId()); for (;;) await Promise.all([vmlinux.read(), open.read(), vmlinux.read()]);',
    ],
  ])('can be terminated during %s, many times, and leaves no thread and no fd', async (_, work) => {
    const result = await runNode(
      `${WORKER}
      const run = async (delay) => {
        const worker = start(${JSON.stringify(work)});
        await ready(worker);
        await sleep(delay);
        await worker.terminate();
      };
      for (let i = 0; i < 20; i++) await Promise.all([run(i), run(i / 2)]);
      await until(() => loadThreads().length === 0);
      console.log(btfFds().length);`,
      { withoutNative: true },
    );
    expect(result).toEqual({ code: 0, signal: null, stdout: '0\n', stderr: '' });
  });

  test('has its own counts, and its end does not affect objects of other threads', async () => {
    const result = await runNode(`${WORKER}
      const mine = await native.btfLoad(intBtf(5), 0);
      const worker = start('setInterval(() => {}, 1000);');
      await ready(worker);
      console.log(native.fdStats().open, btfFds().length);
      await worker.terminate();
      console.log(native.fdStats().open, btfFds().length, (await mine.read()).length === intBtf(5).length);
      (await native.btfLoad(intBtf(), 0)).close();`);
    expect(result).toEqual({ code: 0, signal: null, stdout: '1 2\n1 1 true\n', stderr: '' });
  });
});
