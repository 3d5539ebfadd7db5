import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { BtfFdClosedError, btfGetFdById, btfLoad, btfLoadSync, fdStats, type BtfFd } from './index.js';
import { intBtf } from './testing/btf-bytes.js';

import { runNode } from './testing/run-node.js';
import { vmlinuxId } from './testing/vmlinux.js';

needs('bpf').describe('BtfFd', () => {
  test('has info with id, name, origin and size', async () => {
    using btf = await btfLoad(intBtf(3), 0);
    const { id, ...rest } = btf.info();
    expect(id).toBeGreaterThan(0);
    expect(rest).toEqual({ name: '', kernelBtf: false, size: intBtf(3).length });
  });

  test('reads the name of vmlinux, and the same BTF as sysfs', async () => {
    const id = vmlinuxId();
    using vmlinux = btfGetFdById(id);
    const sysfs = readFileSync('/sys/kernel/btf/vmlinux');
    expect(vmlinux.info()).toEqual({ id, name: 'vmlinux', kernelBtf: true, size: sysfs.length });
    expect(Buffer.compare(await vmlinux.read(), sysfs)).toBe(0);
  });

  test('reads into shared memory if asked to', async () => {
    using btf = await btfLoad(intBtf(3), 0);
    const shared = await btf.read('shared');
    expect(shared.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(Buffer.compare(shared, intBtf(3))).toBe(0);
    expect((await btf.read()).buffer).toBeInstanceOf(ArrayBuffer);
  });

  test('closes once', async () => {
    const btf = await btfLoad(intBtf(), 0);
    expect(btf.fd).toBeGreaterThan(0);
    expect([btf.close(), btf.close()]).toEqual([true, false]);
    expect(btf.fd).toBe(-1);
  });

  test('closes at the end of a `using` block', async () => {
    let outside: BtfFd;
    {
      using btf = await btfLoad(intBtf(), 0);
      outside = btf;
      expect(outside.fd).toBeGreaterThan(0);
    }
    expect(outside.fd).toBe(-1);
  });

  test.each<[string, (btf: BtfFd) => unknown]>([
    ['info', (btf) => btf.info()],
    ['read', (btf) => btf.read()],
    ['send', (btf) => btf.send(1, 'text')],
    ['dup', (btf) => btf.dup()],
  ])('refuses %s after close', async (method, use) => {
    const btf = await btfLoad(intBtf(), 0);
    btf.close();
    const promise = new Promise((resolve) => {
      resolve(use(btf));
    });
    await expect(promise).rejects.toBeInstanceOf(BtfFdClosedError);
    await expect(promise).rejects.toThrow(`BtfFd.${method}: the file descriptor is closed`);
  });

  test('has a duplicate that stays open when it is closed', async () => {
    const btf = await btfLoad(intBtf(2), 0);
    using copy = btf.dup();
    const info = btf.info();
    btf.close();
    expect(copy.info()).toEqual(info);
    expect(Buffer.compare(await copy.read(), intBtf(2))).toBe(0);
  });

  test('finishes 1,000 simultaneous reads although it is closed meanwhile, and leaves no fd open', async () => {
    const bytes = intBtf(100);
    const btf = await btfLoad(bytes, 0);
    const reads = Array.from({ length: 1000 }, () => btf.read());
    expect(btf.close()).toBe(true);
    expect(btf.fd).toBe(-1);
    expect(fdStats().open).toBe(1);
    const results = await Promise.all(reads);
    expect(results.every((result) => Buffer.compare(result, bytes) === 0)).toBe(true);
    expect(fdStats().open).toBe(0);
  });

  test('keeps its number until reads that were under way at its close are done', async () => {
    const sysfs = readFileSync('/sys/kernel/btf/vmlinux');
    const vmlinux = btfGetFdById(vmlinuxId());
    const { fd } = vmlinux;
    const reads = Array.from({ length: 12 }, () => vmlinux.read());
    vmlinux.close();
    using other = btfLoadSync(intBtf(), 0);
    expect(other.fd).not.toBe(fd);
    for (const bytes of await Promise.all(reads)) expect(Buffer.compare(bytes, sysfs)).toBe(0);
  });

  test('is never fd 0, which bpf(2) reads as "none"', async () => {
    const { stdout, stderr } = await runNode(`
      closeSync(0);
      const btf = await native.btfLoad(intBtf(), 0);
      const others = [btf.dup(), native.btfGetFdById(btf.info().id)];
      const lowest = openSync('/dev/null');
      console.log(lowest, [btf, ...others].every((each) => each.fd > 0 && each.info().size === intBtf().length));`);
    expect(stderr).toBe('');
    expect(stdout).toBe('0 true\n');
  });

  test('is not inherited by a child process', async () => {
    const { stdout, stderr } = await runNode(`
      const btf = await native.btfLoad(intBtf(), 0);
      const objects = [btf, btf.dup(), native.btfGetFdById(btf.info().id)];
      const inherited = execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
      console.log(btfFds().length, inherited.includes('anon_inode:btf'));`);
    expect(stderr).toBe('');
    expect(stdout).toBe('3 false\n');
  });

  test('fails with EMFILE if the process has no fd left', async () => {
    const { stdout, stderr } = await runNode(
      `
      const btf = await native.btfLoad(intBtf(), 0);
      const { id } = btf.info();
      const objects = [];
      const report = ({ constructor, command, code, log }) => console.log(constructor.name, command, code, log);
      try {
        for (;;) objects.push(btf.dup());
      } catch (error) {
        report(error);
      }
      try {
        native.btfGetFdById(id);
      } catch (error) {
        report(error);
      }
      await native.btfLoad(intBtf(), 4096).catch(report);
      objects.pop().close();
      console.log(native.btfGetFdById(id).info().id === id);`,
      { wrapper: ['prlimit', '--nofile=64'] },
    );
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')).toEqual([
      'BpfError dup EMFILE null',
      'BpfError BPF_BTF_GET_FD_BY_ID EMFILE null',
      'BpfError BPF_BTF_LOAD EMFILE null',
      'true',
    ]);
  });

  test('is closed and counted by the garbage collector if nobody closed it', async () => {
    const { stdout, stderr } = await runNode(
      `
      await native.btfLoad(intBtf(), 0);
      console.log(native.fdStats(), btfFds().length);
      await until(() => { globalThis.gc(); return native.fdStats().closedByFinalizer > 0; });
      console.log(native.fdStats(), btfFds().length);`,
      { flags: ['--expose-gc'] },
    );
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')).toEqual([
      '{ open: 1, closedByFinalizer: 0 } 1',
      '{ open: 0, closedByFinalizer: 1 } 0',
    ]);
  });

  test('is not counted as closed by the garbage collector if it was closed before', async () => {
    const { stdout, stderr } = await runNode(
      `
      (await native.btfLoad(intBtf(), 0)).close();
      await native.btfLoad(intBtf(), 0);
      await until(() => { globalThis.gc(); return native.fdStats().closedByFinalizer > 0; });
      console.log(native.fdStats());`,
      { flags: ['--expose-gc'] },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('{ open: 0, closedByFinalizer: 1 }\n');
  });

  test('stays open if the garbage collector frees a closed one that had its number', async () => {
    const { stdout, stderr } = await runNode(
      `
      const collected = new FinalizationRegistry(() => { closed--; });
      const numbers = new Set();
      let closed = 10;
      (() => {
        for (let i = closed; i > 0; i--) {
          const btf = native.btfLoadSync(intBtf(), 0);
          collected.register(btf);
          numbers.add(btf.fd);
          btf.close();
        }
      })();
      const btf = native.btfLoadSync(intBtf(7), 0);
      await until(() => { globalThis.gc(); return closed === 0; });
      console.log(numbers.has(btf.fd), btf.info().size === intBtf(7).length, native.fdStats());`,
      { flags: ['--expose-gc'] },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('true true { open: 1, closedByFinalizer: 0 }\n');
  });
});
