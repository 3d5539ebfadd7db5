import { describe, expect, test } from '@jest/globals';
import { parseAddress } from '../base/address.js';
import { ErrorReason, Mode, Operation } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import { Access } from '../kernel/access.js';
import { describeServed } from './show.js';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { makeServices } from '../testing/services.js';
import { TempDir } from '../testing/temp-dir.js';

describe('The text of --show', () => {
  test('has each object with id, name, origin, size and number of types, and the addresses', async () => {
    const kernel = new FakeKernel();
    kernel.add('vmlinux', intBtf());
    kernel.addUsers(intBtf('u'));
    const services = await makeServices(kernel);
    const text = await describeServed(services, ['127.0.0.1:1', 'unix:/a'].map(parseAddress), false);
    const [size, userSize] = [intBtf(), intBtf('u')].map(({ length }) => length);
    expect(text.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual(
      expect.arrayContaining([
        ['ID', 'NAME', 'ORIGIN', 'BYTES', 'TYPES'],
        ['1', 'vmlinux', 'vmlinux', String(size), '1'],
        ['2', '-', 'user', String(userSize), '1'],
        ['listening on unix:/a'],
        ['listening on 127.0.0.1:1'],
      ]),
    );
    expect(text).toContain('everything works');
    expect(text).toMatch(/^try next: .* unix:\/a$/m);
    expect(kernel.openCount).toBe(0);
  });

  test('says what does not work and why, and lists files', async () => {
    using dir = new TempDir();
    dir.write('vmlinux', intBtf());
    dir.write('broken', 'no BTF');
    const kernel = new FakeKernel();
    kernel.granted = { sysAdmin: false, bpf: false };
    kernel.failures.load = bpfError('BPF_BTF_LOAD', 'EPERM');
    kernel.failures.nextId = bpfError('BPF_BTF_GET_NEXT_ID', 'EPERM');
    kernel.failures.open = bpfError('BPF_BTF_GET_FD_BY_ID', 'EPERM');
    const text = await describeServed(await makeServices(kernel, { dir: dir.path }), [], false);
    expect(text).toContain('not loading: the daemon lacks CAP_BPF');
    expect(text).toContain('not by id: the daemon lacks CAP_SYS_ADMIN');
    expect(text).toMatch(/^ +- +vmlinux +vmlinux +\d+ +1$/m);
    expect(text).toMatch(/^ +- +broken +module +6 +the BTF cannot be decoded/m);
  });

  test('says why an object cannot be read, and continues', async () => {
    using dir = new TempDir();
    dir.write('large', new Uint8Array(2000));
    dir.write('mod', intBtf());
    const services = await makeServices(new FakeKernel(), {
      dir: dir.path,
      filesOnly: true,
      limits: { maxFileBytes: 1000 },
    });
    const text = await describeServed(services, [], false);
    expect(text).toContain('has more than 1000 bytes');
    expect(text).toMatch(/mod +module +\d+ +1$/m);
  });

  test('counts objects that would fill the terminal', async () => {
    const kernel = new FakeKernel();
    for (let i = 0; i < 250; i++) kernel.addUsers(intBtf());
    const text = await describeServed(await makeServices(kernel), [], false);
    expect(text).toContain('and 50 more');
    expect(text.match(/ user /g)).toHaveLength(200);
    expect(kernel.openCount).toBe(0);
  });

  test('says where no object was found', async () => {
    expect(await describeServed(await makeServices(new FakeKernel()), [], false)).toContain(
      'no BTF objects in /nonexistent',
    );
  });

  test('says that a kernel without BTF has none, and suggests a command that works there', async () => {
    const kernel = new FakeKernel();
    kernel.addUsers(intBtf());
    const services = await makeServices(kernel);
    const refusal = new ServiceError(ErrorReason.KERNEL_WITHOUT_BTF, 'the kernel has no BTF');
    const access = new Access(Mode.FULL, { [Operation.SPEC_BY_NAME]: refusal });
    const text = await describeServed({ ...services, access }, [parseAddress('unix:/a')], false);
    expect(text).not.toContain('everything works');
    expect(text).toContain(': BTF can be loaded, listed and held\n  not by name: the kernel has no BTF\n');
    expect(text).toMatch(/^try next: .*btfctl info --address unix:\/a$/m);
  });

  test.each([
    ['0.0.0.0:7443', 'localhost:7443'],
    ['[::]:7443', 'localhost:7443'],
    ['192.0.2.1:7443', '192.0.2.1:7443'],
    ['[2001:db8::1]:7443', '[2001:db8::1]:7443'],
  ])('suggests an address that clients can use, and the flags of TLS: %s', async (address, used) => {
    const services = await makeServices(new FakeKernel());
    const text = await describeServed(services, [parseAddress(address)], true);
    const flags = '--tls-ca CA.crt --tls-cert CLIENT.crt --tls-key CLIENT.key';
    expect(text).toContain(`btfctl info --address ${used} ${flags}\n`);
  });
});
