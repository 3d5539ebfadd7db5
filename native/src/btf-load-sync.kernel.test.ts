import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { BpfError, btfLoad, btfLoadSync, fdStats } from './index.js';
import { intBtf, refusedBtf } from './testing/btf-bytes.js';
import { built, runNode } from './testing/run-node.js';

/** Returns the error of a load that must be refused. */
async function refusal(load: () => unknown): Promise<BpfError> {
  try {
    await load();
  } catch (error) {
    if (error instanceof BpfError) return error;
    throw error;
  }
  throw new Error('the kernel accepted it');
}

function fields({ message, command, errno, code, log }: BpfError): unknown {
  return { message, command, errno, code, log };
}

needs('bpf').describe('btfLoadSync', () => {
  test('returns an object with the BTF when it returns', async () => {
    using btf = btfLoadSync(intBtf(3), 0);
    expect(btf.info()).toMatchObject({ kernelBtf: false, size: intBtf(3).length });
    expect(Buffer.compare(await btf.read(), intBtf(3))).toBe(0);
  });

  test('loads from shared memory, and from the middle of a buffer', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(intBtf().length + 3)).subarray(3);
    shared.set(intBtf());
    btfLoadSync(shared, 0).close();
  });

  test.each([
    ['refused BTF', refusedBtf(3), 4096],
    ['refused BTF without a log', refusedBtf(3), 0],
    ['refused BTF whose log does not fit', refusedBtf(100), 128],
    ['an empty BTF', new Uint8Array(), 4096],
    ['a BTF over 16 MiB', new Uint8Array(16 * 1024 * 1024 + 1), 4096],
  ])('throws the error of btfLoad for %s', async (_, bytes, logSize) => {
    const error = await refusal(() => btfLoadSync(bytes, logSize));
    expect(fields(error)).toEqual(fields(await refusal(async () => btfLoad(bytes, logSize))));
  });

  test('starts no thread, and does not wait for loads of btfLoad', async () => {
    const result = await runNode(`
      native.btfLoadSync(intBtf(), 0).close();
      console.log(loadThreads().length);
      let slow = 'running';
      native.btfLoad(slowBtf(2000), 0).then((btf) => { slow = 'done'; btf.close(); });
      native.btfLoadSync(intBtf(), 0).close();
      console.log(loadThreads().length, slow);`);
    expect(result).toEqual({ code: 0, signal: null, stdout: '0\n1 running\n', stderr: '' });
  });

  test('leaks no fd over 10,000 loads, half of them refused', async () => {
    for (let i = 0; i < 5000; i++) {
      btfLoadSync(intBtf(), 0).close();
      await refusal(() => btfLoadSync(refusedBtf(), 128));
    }
    expect(fdStats()).toEqual({ open: 0, closedByFinalizer: 0 });
  });

  test('in a worker that is terminated leaves no fd', async () => {
    const source = `
      import { parentPort } from 'node:worker_threads';
      const native = await import(${built('index.js')});
      const { intBtf, refusedBtf } = await import(${built('testing/btf-bytes.js')});
      parentPort.postMessage('ready');
      for (;;) {
        native.btfLoadSync(intBtf(), 0);
        try { native.btfLoadSync(refusedBtf(), 4096); } catch {}
      }`;
    const result = await runNode(
      `
      const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(source)}));
      for (let i = 0; i < 10; i++) {
        const worker = new Worker(url);
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
        await sleep(i);
        await worker.terminate();
      }
      console.log(btfFds().length);`,
      { withoutNative: true },
    );
    expect(result).toEqual({ code: 0, signal: null, stdout: '0\n', stderr: '' });
  });
});
