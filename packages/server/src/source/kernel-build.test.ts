import { createHash } from 'node:crypto';
import { rmSync, utimesSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { makeServices } from '../testing/services.js';
import { TempDir } from '../testing/temp-dir.js';

function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const VMLINUX = intBtf('vmlinux');
const [A, B] = [intBtf('a'), intBtf('b')];
/** The kernel with the modules a and b, by the rule in the contract. */
const WITH_MODULES = {
  kernelDigest: new Uint8Array(sha256(VMLINUX)),
  modulesDigest: new Uint8Array(sha256('a\0', sha256(A), 'b\0', sha256(B))),
  moduleCount: 2,
};
const WITHOUT_MODULES = { ...WITH_MODULES, modulesDigest: new Uint8Array(sha256()), moduleCount: 0 };

describe('The digests of a kernel', () => {
  async function setUp() {
    const kernel = new FakeKernel();
    kernel.add('vmlinux', VMLINUX);
    kernel.add('vmlinux.inline', intBtf('inline'));
    // Not in the order of names.
    const b = kernel.add('b', B);
    kernel.addUsers(intBtf('user'));
    const a = kernel.add('a', A);
    const services = await makeServices(kernel);
    return { kernel, a, b, services };
  }

  test('are those of vmlinux and of all modules by name, without users’ objects', async () => {
    const { kernel, services } = await setUp();
    expect(await services.build.digests()).toEqual(WITH_MODULES);
    expect(await services.build.kernelDigest()).toEqual(WITH_MODULES.kernelDigest);
    expect(kernel.openCount).toBe(0);
  });

  test('read each object once, and concurrent callers share a run', async () => {
    const { kernel, services } = await setUp();
    const all = await Promise.all(Array.from({ length: 50 }, async () => services.build.digests()));
    expect(new Set(all).size).toBeLessThanOrEqual(2);
    await services.build.digests();
    await services.build.kernelDigest();
    expect(kernel.reads).toBe(3);
    expect(services.specs.cacheStats.bytes).toBe(0);
  });

  test('change when a module goes, and when one with other BTF takes its name', async () => {
    const { kernel, a, b, services } = await setUp();
    await services.build.digests();
    kernel.remove(b);
    expect(await services.build.digests()).toMatchObject({ moduleCount: 1 });
    kernel.add('b', B);
    expect(await services.build.digests()).toEqual(WITH_MODULES);
    kernel.remove(a);
    kernel.add('a', B);
    const modulesDigest = new Uint8Array(sha256('a\0', sha256(B), 'b\0', sha256(B)));
    expect(await services.build.digests()).toEqual({ ...WITH_MODULES, modulesDigest });
  });

  test('leave out a module that is unloaded between list and read', async () => {
    const { kernel, a, b, services } = await setUp();
    kernel.vanishing.add(a);
    kernel.vanishing.add(b);
    expect(await services.build.digests()).toEqual(WITHOUT_MODULES);
  });

  test('are an error if an object cannot be read, and the next call reads again', async () => {
    const { kernel, services } = await setUp();
    kernel.failures.read = bpfError('BPF_OBJ_GET_INFO_BY_FD', 'EIO');
    await expect(services.build.digests()).rejects.toThrow('EIO');
    delete kernel.failures.read;
    expect(await services.build.digests()).toEqual(WITH_MODULES);
    expect(kernel.openCount).toBe(0);
  });

  test('are empty for vmlinux if the kernel has no BTF', async () => {
    const services = await makeServices(new FakeKernel());
    const kernelDigest = new Uint8Array();
    expect(await services.build.digests()).toEqual({ ...WITHOUT_MODULES, kernelDigest });
    expect(await services.build.kernelDigest()).toEqual(kernelDigest);
  });
});

describe('The digests of a folder of files', () => {
  async function setUp() {
    const folder = new TempDir();
    folder.write('vmlinux', VMLINUX);
    folder.write('b', B);
    folder.write('a', A);
    const services = await makeServices(new FakeKernel(), { dir: folder.path, filesOnly: true });
    return { folder, build: services.build, [Symbol.dispose]: () => folder[Symbol.dispose]() };
  }

  test('are the same as those of a kernel with these objects', async () => {
    using setup = await setUp();
    expect(await setup.build.digests()).toEqual(WITH_MODULES);
    expect(await setup.build.kernelDigest()).toEqual(WITH_MODULES.kernelDigest);
  });

  test('follow the files', async () => {
    using setup = await setUp();
    const { folder, build } = setup;
    await build.digests();
    const path = folder.write('vmlinux', intBtf('VMLINUX'));
    // Of the same size; the clock of the file system may not have moved on.
    utimesSync(path, 1, 1);
    rmSync(`${folder.path}/b`);
    expect(await build.digests()).toEqual({
      kernelDigest: new Uint8Array(sha256(intBtf('VMLINUX'))),
      modulesDigest: new Uint8Array(sha256('a\0', sha256(A))),
      moduleCount: 1,
    });
    expect(await build.kernelDigest()).toEqual(new Uint8Array(sha256(intBtf('VMLINUX'))));
  });
});
