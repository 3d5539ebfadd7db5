import { describe, expect, jest, test } from '@jest/globals';
import { Encoding, ErrorReason, Origin } from '@btfd/api';
import { intBtf, vmlinuxAndModule } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { named, ofId, receiveSpec, sha256 } from '../testing/receive-spec.js';
import { makeServices } from '../testing/services.js';
import { reasonOf } from '../testing/service-error.js';
import { TempDir } from '../testing/temp-dir.js';

const { vmlinux: VMLINUX, module: MODULE } = vmlinuxAndModule();
const TYPES = { encoding: Encoding.TYPES };

describe('From files', () => {
  test('a spec is found by name if ids cannot be listed, with id 0', async () => {
    using dir = new TempDir();
    dir.write('vmlinux', VMLINUX);
    dir.write('mod', MODULE);
    const services = await makeServices(new FakeKernel(), { dir: dir.path, filesOnly: true });
    const { header, raw } = await receiveSpec(services, named('mod'));
    expect(header).toMatchObject({
      info: { id: 0, name: 'mod', origin: Origin.MODULE },
      baseDigest: await sha256(VMLINUX),
    });
    expect(Buffer.compare(raw, MODULE)).toBe(0);
    expect((await receiveSpec(services, { ...named('mod'), ...TYPES })).types).toHaveLength(2);
  });

  test('a file that is replaced is read again', async () => {
    using dir = new TempDir();
    dir.write('vmlinux', intBtf('before'));
    const services = await makeServices(new FakeKernel(), { dir: dir.path, filesOnly: true });
    await receiveSpec(services, named('vmlinux'));
    dir.write('vmlinux', intBtf('after_'));
    expect((await receiveSpec(services, { ...named('vmlinux'), ...TYPES })).types[0]?.name).toBe('after_');
  });

  test('a name without an object in the kernel is read from a file', async () => {
    using dir = new TempDir();
    dir.write('vmlinux', VMLINUX);
    const services = await makeServices(new FakeKernel(), { dir: dir.path });
    expect((await receiveSpec(services, named('vmlinux'))).header.info?.id).toBe(0);
  });

  test.each(['../secret', '../dir/vmlinux', './vmlinux', '.', '..', '/etc/passwd'])(
    'a path is not a name: %s',
    async (name) => {
      using outer = new TempDir();
      outer.write('secret', VMLINUX);
      using dir = new TempDir();
      dir.write('vmlinux', VMLINUX);
      const services = await makeServices(new FakeKernel(), { dir: dir.path, filesOnly: true });
      expect(await reasonOf(() => receiveSpec(services, named(name)))).toBe(ErrorReason.NAME_NOT_FOUND);
    },
  );

  test('vmlinux of a kernel without BTF is distinguished from a wrong name', async () => {
    using dir = new TempDir();
    const services = await makeServices(new FakeKernel(), { dir: dir.path, filesOnly: true });
    expect(await reasonOf(() => receiveSpec(services, named('vmlinux')))).toBe(
      ErrorReason.KERNEL_WITHOUT_BTF,
    );
    expect(await reasonOf(() => receiveSpec(services, ofId(1)))).toBe(ErrorReason.OPERATION_UNAVAILABLE);
  });

  test('a file is read once for all calls that wait for it', async () => {
    using dir = new TempDir();
    dir.write('vmlinux', VMLINUX);
    const services = await makeServices(new FakeKernel(), { dir: dir.path, filesOnly: true });
    const read = jest.spyOn(services.files, 'read');
    const received = await Promise.all(
      Array.from({ length: 50 }, async () => receiveSpec(services, named('vmlinux'))),
    );
    expect(new Set(received.map(({ raw }) => raw.toString('hex')))).toEqual(
      new Set([Buffer.from(VMLINUX).toString('hex')]),
    );
    expect(read).toHaveBeenCalledTimes(1);
  });
});
