import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FakeDaemon } from '@btfd/client/testing';
import { Btfctl, btfctl, type Ran } from './testing/btfctl.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

let daemon: FakeDaemon;

beforeAll(async () => {
  const objects = ['vmlinux', 'nf_tables'].map((name) => ({ name, btf: intBtf(3, 'number') }));
  daemon = await FakeDaemon.start({ objects });
});
afterAll(async () => daemon.stop());

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
  btfctl(args, { BTFD_ADDRESS: daemon.address, ...env });

describe('the name of a module with dashes, as modprobe takes it,', () => {
  test.each([
    ['list', ['list', 'nf-tables']],
    ['dump', ['dump', 'nf-tables']],
    ['layout', ['layout', 'number', '--in', 'nf-tables']],
    ['member', ['member', 'a.b', '--in', 'nf-tables']],
    ['hold', ['hold', 'nf-tables', '--', 'true']],
  ])('is not found by %s, which names the one with underscores', async (_, args) => {
    const ran = await run(args);
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(/names of modules have "_" in place of "-": (try )?"?nf_tables/);
    const named = args.map((word) => word.replace('nf-tables', 'nf_tables'));
    expect((await run(named)).stderr).not.toContain('nf_tables');
  });

  test('is noted by watch, which would wait for it', async () => {
    await using watching = new Btfctl(['watch', 'nf-tables'], { BTFD_ADDRESS: daemon.address });
    const noted = () => watching.stderr.includes('have "_" in place of "-": try nf_tables');
    await until('the note', noted);
  });
});

describe('a proxy in the environment', () => {
  const http_proxy = 'http://127.0.0.1:9';

  test('is not asked for a daemon on this machine', async () => {
    expect(await run(['list', '-o', 'name'], { http_proxy })).toEqual({
      status: 0,
      stdout: 'vmlinux\nnf_tables\n',
      stderr: '',
    });
  });

  test('is named if it does not connect, and the hint avoids it', async () => {
    const args = ['list', '--address', 'daemon.invalid:7443'];
    const ran = await run(args, { http_proxy });
    expect(ran).toEqual({
      status: 6,
      stdout: '',
      stderr:
        'btfctl: cannot reach the daemon at daemon.invalid:7443 through the proxy 127.0.0.1:9 of http_proxy: ' +
        'connect ECONNREFUSED 127.0.0.1:9\n' +
        'hint: check the proxy, or connect without it: no_proxy=HOST, with the host of the daemon\n',
    });
    const without = await run(args, { http_proxy, no_proxy: 'daemon.invalid' });
    expect(without.stderr).toBe(
      'btfctl: cannot reach the daemon at daemon.invalid:7443: the name daemon.invalid cannot be resolved\n' +
        'hint: check the name in its address, and that this machine can look up names\n',
    );
  });
});

describe('an object of the other byte order', () => {
  const BIG = fileURLToPath(new URL('../../btf/src/object/testdata/rest-eb.bpf.o', import.meta.url));

  test('is refused, and the hint of check says why', async () => {
    const ran = await run(['check', BIG]);
    expect(ran).toMatchObject({ status: 4, stdout: expect.stringContaining('refused with EINVAL') });
    expect(ran.stderr).toBe(
      'hint: the BTF is big-endian, which the kernel is not: compile it with clang -target bpfel\n',
    );
  });

  test('is read like any other', async () => {
    const ran = await run(['dump', BIG, 'format', 'c']);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
  });
});

test.each(['unix://some/b.sock', 'unix:b.sock'])('%s is not the path of a socket', async (address) => {
  expect(await run(['list', '--address', address])).toEqual({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining(`btfctl: invalid address "${address}": use unix:/PATH or HOST:PORT\n`),
  });
});
