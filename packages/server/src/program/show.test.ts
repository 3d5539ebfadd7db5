import { describe, expect, test } from '@jest/globals';
import { parseAddress } from '../base/address.js';
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
    const text = await describeServed(services, ['unix:/a', '127.0.0.1:1'].map(parseAddress));
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
    kernel.failures.load = bpfError('BPF_BTF_LOAD', 'EPERM');
    kernel.failures.nextId = bpfError('BPF_BTF_GET_NEXT_ID', 'EPERM');
    const text = await describeServed(await makeServices(kernel, { dir: dir.path }), []);
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
    const text = await describeServed(services, []);
    expect(text).toContain('has more than 1000 bytes');
    expect(text).toMatch(/mod +module +\d+ +1$/m);
  });

  test('counts objects that would fill the terminal', async () => {
    const kernel = new FakeKernel();
    for (let i = 0; i < 250; i++) kernel.addUsers(intBtf());
    const text = await describeServed(await makeServices(kernel), []);
    expect(text).toContain('and 50 more');
    expect(text.match(/ user /g)).toHaveLength(200);
    expect(kernel.openCount).toBe(0);
  });

  test('says where no object was found', async () => {
    expect(await describeServed(await makeServices(new FakeKernel()), [])).toContain(
      'no BTF objects in /nonexistent',
    );
  });
});
