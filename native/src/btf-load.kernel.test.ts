import { execFileSync } from 'node:child_process';
import { runInNewContext } from 'node:vm';

import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { BpfError, btfLoad, fdStats } from './index.js';
import { intBtf, refusedBtf } from './testing/btf-bytes.js';
import { runNode } from './testing/run-node.js';

const BIG_LOG = 1 << 20;

/** Returns the ids that bpftool lists. */
function bpftoolIds(): number[] {
  const list: { id: number }[] = JSON.parse(
    execFileSync('bpftool', ['--json', 'btf', 'list'], { encoding: 'utf8' }),
  );
  return list.map(({ id }) => id);
}

/** Returns the error of a load that must be refused. */
async function refusal(bytes: Uint8Array, logSize: number): Promise<BpfError> {
  try {
    (await btfLoad(bytes, logSize)).close();
  } catch (error) {
    if (error instanceof BpfError) return error;
    throw error;
  }
  throw new Error('the kernel accepted it');
}

function text(error: BpfError): string {
  return Buffer.from(error.log?.text ?? []).toString();
}

needs('bpf').describe('btfLoad', () => {
  needs('bpftool').test('returns an object that bpftool lists until it is closed', async () => {
    const btf = await btfLoad(intBtf(), 0);
    const { id } = btf.info();
    expect(bpftoolIds()).toContain(id);
    btf.close();
    // The daemon of another test may hold an object for as long as it lists it.
    for (let tries = 0; tries < 100 && bpftoolIds().includes(id); tries++);
    expect(bpftoolIds()).not.toContain(id);
  });

  test('copies the bytes when it is called', async () => {
    const bytes = intBtf(1000);
    const before = bytes.slice();
    const promise = btfLoad(bytes, 0);
    bytes.fill(0xff);
    using btf = await promise;
    expect(Buffer.compare(await btf.read(), before)).toBe(0);
  });

  test.each([
    ['a Buffer', () => Buffer.from(intBtf())],
    ['a view into the middle of its buffer', () => new Uint8Array([1, 2, 3, ...intBtf()]).subarray(3)],
    [
      'bytes of another realm',
      () => {
        const bytes: Uint8Array = runInNewContext('Uint8Array.from(bytes)', { bytes: intBtf() });
        return bytes;
      },
    ],
    [
      'shared memory',
      () => {
        const shared = new Uint8Array(new SharedArrayBuffer(intBtf().length));
        shared.set(intBtf());
        return shared;
      },
    ],
  ])('accepts %s', async (_, make) => {
    using btf = await btfLoad(make(), 0);
    expect(Buffer.compare(await btf.read(), intBtf())).toBe(0);
  });

  test('runs loads in the order of the calls, and returns a separate object for each', async () => {
    const blobs = [5000, 1, 2000, 3].map((count) => intBtf(count));
    const finished: number[] = [];
    const loads = blobs.map(async (bytes, index) => {
      const btf = await btfLoad(bytes, 0);
      finished.push(index);
      return btf;
    });
    const objects = await Promise.all(loads);
    const infos = objects.map((btf) => btf.info());
    for (const btf of objects) btf.close();
    expect(finished).toEqual([0, 1, 2, 3]);
    expect(infos.map(({ size }) => size)).toEqual(blobs.map(({ length }) => length));
    expect(infos).toEqual(infos.toSorted((a, b) => a.id - b.id));
  });

  test('reports the kernel’s log of a refused BTF', async () => {
    const error = await refusal(refusedBtf(3), BIG_LOG);
    expect(error).toMatchObject({
      command: 'BPF_BTF_LOAD',
      code: 'EINVAL',
      errno: 22,
      log: { truncated: false },
    });
    expect(text(error)).toContain('[1] INT int size=4');
    expect(text(error)).toContain('[3] Invalid kind:0');
    expect(text(error)).not.toContain('\0');
  });

  test('requests no log if none is wanted', async () => {
    expect(await refusal(refusedBtf(), 0)).toMatchObject({ code: 'EINVAL', log: null });
  });

  test('keeps the errno of the first call if the log does not fit', async () => {
    const bytes = refusedBtf(100);
    const whole = (await refusal(bytes, BIG_LOG)).log;
    const cut = await refusal(bytes, 128);
    expect(cut).toMatchObject({ code: 'EINVAL', log: { truncated: true } });
    const wholeText = Buffer.from(whole?.text ?? []);
    expect(wholeText.length).toBeGreaterThan(128);
    expect(cut.log?.text).toHaveLength(127);
    expect(cut.log?.trueSize).toBe(whole?.trueSize);
    // Linux 6.4 and later report the true size and keep the tail. Earlier kernels keep the head.
    const kept = whole?.trueSize === null ? wholeText.subarray(0, 127) : wholeText.subarray(-127);
    expect(Buffer.compare(cut.log?.text ?? new Uint8Array(), kept)).toBe(0);
  });

  test('gets the whole log with its true size as log size, and a truncated one with one byte less', async () => {
    const bytes = refusedBtf(100);
    const trueSize = (await refusal(bytes, 128)).log?.trueSize;
    if (typeof trueSize !== 'number') return; // Before Linux 6.4.
    const exact = (await refusal(bytes, trueSize)).log;
    expect(exact).toMatchObject({ truncated: false, trueSize });
    expect(exact?.text).toHaveLength(trueSize - 1);
    expect((await refusal(bytes, trueSize - 1)).log).toMatchObject({ truncated: true, trueSize });
  });

  test('limits a log of megabytes', async () => {
    const { log } = await refusal(refusedBtf(50_000), 4096);
    expect(log?.truncated).toBe(true);
    expect(log?.text).toHaveLength(4095);
  });

  test.each([
    ['over 16 MiB', new Uint8Array(16 * 1024 * 1024 + 1), 'E2BIG', null],
    ['that is empty', new Uint8Array(), 'EINVAL', 'hdr_len not found'],
    ['with another magic', new Uint8Array(64), 'EINVAL', 'Invalid magic'],
    ['of an unknown version', intBtf().fill(9, 2, 3), 'ENOTSUPP', 'Unsupported version'],
  ])('refuses a BTF %s', async (_, bytes, code, said) => {
    const error = await refusal(bytes, 4096);
    expect(error.code).toBe(code);
    if (said === null) expect(error.log).toBeNull();
    else expect(text(error)).toContain(said);
  });

  // The kernel does not limit the threads of root.
  needs('root', 'setpriv').test('fails with ENOMEM if there is no thread for it', async () => {
    const { stdout, stderr } = await runNode(
      `
      const report = ({ command, code, log }) => console.log(command, code, log);
      execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=1:']);
      await native.btfLoad(intBtf(), 4096).catch(report);
      console.log(loadThreads().length);`,
      { wrapper: ['setpriv', '--reuid=47114', '--regid=47114', '--clear-groups'] },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('BPF_BTF_LOAD ENOMEM null\n0\n');
  });

  test('leaks no fd over 10,000 loads, half of them refused', async () => {
    const good = intBtf();
    const bad = refusedBtf();
    for (let i = 0; i < 5000; i++) {
      const [btf] = await Promise.all([btfLoad(good, 0), btfLoad(bad, 128).catch(() => null)]);
      btf.close();
    }
    expect(fdStats()).toEqual({ open: 0, closedByFinalizer: 0 });
  });
});
