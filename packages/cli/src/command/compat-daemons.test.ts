import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FakeDaemon } from '@btfd/client/testing';
import { type CliRun, runCli } from '../testing/run-cli.js';
import { writeSmallKernel } from '../testing/small-kernel.js';

const AGENT = fileURLToPath(new URL('../compat/testdata/agent.bpf.o', import.meta.url));
/** No daemon listens there. */
const NOBODY = '127.0.0.1:9';

describe('compat on daemons', () => {
  let dir: string;
  let daemon: FakeDaemon;
  let config: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-compat-'));
    writeSmallKernel(dir, { modules: { agent_mod: 'module_only' } });
    const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(dir, name)));
    const objects = [
      { name: 'vmlinux', btf: read('vmlinux') },
      { name: 'agent_mod', btf: read('agent_mod') },
    ];
    daemon = await FakeDaemon.start({ objects, kernelRelease: '6.1.140' });
    config = join(dir, 'config.yaml');
    const contexts = `  here:\n    address: ${daemon.address}\n  gone:\n    address: ${NOBODY}\n`;
    writeFileSync(config, `contexts:\n${contexts}`);
  });
  afterAll(async () => {
    await daemon.stop();
    rmSync(dir, { recursive: true });
  });

  const run = (...args: readonly string[]): Promise<CliRun> =>
    runCli(['compat', AGENT, ...args, '--config', config], { BTFD_ADDRESS: daemon.address });

  test('the kernel of the daemon is the default, with its version and its modules', async () => {
    const options = ['--program', 'by_version', '--program', 'of_module'];
    const ran = await run(...options, '-o', 'json');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      fits: true,
      results: [
        {
          kernel: 'vmlinux',
          kernel_release: '6.1.140',
          machine: 'x86_64',
          verdict: 'GUARDED',
          modules: ['agent_mod'],
        },
      ],
    });
    const text = await run(...options);
    expect(text.stdout.split('\n')[0]).toBe(
      'agent.bpf.o  vmlinux (Linux 6.1.140 x86_64), as libbpf 1.8 loads it: fits',
    );
    for (const modules of ['none', 'agent-mod']) {
      const status = modules === 'none' ? 8 : 0;
      expect(await run(...options, '--modules', modules)).toMatchObject({ status });
    }
  });

  test('the options go to the daemon', async () => {
    const attach = ['--program', 'attached', '--attach', 'attached=task_newtask'];
    expect(await run(...attach)).toMatchObject({ status: 0 });
    const setting = ['--program', 'by_setting', '--set', 'use_gone=0', '--all', '--loader', 'cilium'];
    const ran = await run(...setting, '-o', 'json');
    expect(ran.status).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ results: [{ loader: 'cilium' }] });
    expect(daemon.callsOf('checkObject').at(-1)?.request).toMatchObject({
      programs: ['by_setting'],
      variables: [{ name: 'use_gone', value: Uint8Array.of(0) }],
      all: true,
    });
  });

  test('a report of a daemon reads like one of this process', async () => {
    const vmlinux = daemon.objects[0]?.id;
    const specs = [dir, '@here', daemon.address, `id:${vmlinux}`, `@here/id:${vmlinux}`];
    const options = ['--program', '*', '--all', '--kernel-version', '6.1.140', '-o', 'json'];
    const ran = await run(...specs.flatMap((spec) => ['--on', spec]), ...options);
    expect(ran.status).toBe(8);
    expect(ran.stderr).toMatch(/^btfctl: note: if user space sets the targets .*\n$/);
    const { results }: { results: readonly object[] } = JSON.parse(ran.stdout);
    expect(results).toHaveLength(specs.length);
    const [local, ...others] = results;
    for (const [at, { ...report }] of others.slice(0, 2).entries()) {
      expect(report).toEqual({
        ...local,
        kernel: specs[at + 1],
        kernel_release: '6.1.140',
        machine: 'x86_64',
      });
    }
  });

  test('a daemon that cannot be reached does not change what others say', async () => {
    const on = ['--on', '@gone', '--on', '@here', '--on', `${dir}/vmlinux`];
    const ran = await run(AGENT, '--program', 'moved', ...on, '-o', 'wide');
    expect(ran.status).toBe(6);
    expect(ran.stdout.split('\n').slice(0, 7)).toEqual([
      'K1  @gone',
      'K2  @here (Linux 6.1.140 x86_64)',
      `K3  ${dir}/vmlinux`,
      '',
      'OBJECT       K1     K2    K3',
      'agent.bpf.o  error  fits  fits',
      '1 object on 3 kernels: 1 error',
    ]);
    expect(ran.stderr).toMatch(/^btfctl: @gone: cannot reach the daemon at 127\.0\.0\.1:9: .+\n$/);
    const unfit = await run('--program', 'always', ...on);
    expect(unfit.status).toBe(8);
    expect(unfit.stdout).toContain('\n1 object on 3 kernels: 1 fails\n');
    const alone = await run('--on', '@gone');
    expect(alone).toMatchObject({ status: 6, stdout: '' });
    expect(alone.stderr).toContain('hint: check that btfd is running there');
    expect(await run('--on', '@nope', '--on', '@here')).toMatchObject({ status: 8 });
  });

  test('a daemon that cannot be reached is not asked for each object', async () => {
    const before = daemon.callsOf('checkObject').length;
    daemon.failNext('checkObject', { code: 14, reason: 'UNREACHABLE', message: 'the link is cut' });
    const copies = [1, 2].map((n) => {
      writeFileSync(join(dir, `${n}.o`), readFileSync(AGENT));
      return join(dir, `${n}.o`);
    });
    const ran = await run(...copies, '--on', '@here');
    expect(ran).toMatchObject({ status: 6, stdout: '' });
    expect(ran.stderr.match(/the link is cut/g)).toHaveLength(1);
    expect(daemon.callsOf('checkObject')).toHaveLength(before + 1);
  });

  test('a daemon that is too old says so, with another way', async () => {
    daemon.failNext('checkObject', { code: 12, message: 'The server does not implement the method' });
    const ran = await run('--on', '@here');
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toBe(
      'btfctl: the daemon is too old to check objects\n' +
        'hint: check here with the BTF of its kernel: `btfctl dump vmlinux format btf > kernel.btf`, then --on ./kernel.btf\n',
    );
  });

  test('without a daemon, the kernel of this machine is suggested', async () => {
    const ran = await runCli(['compat', AGENT, '--program', 'moved']);
    expect(ran).toMatchObject({ status: 6, stdout: '' });
    const local = await run('--program', 'moved', '--on', '/sys/kernel/btf');
    // A machine may have no BTF.
    expect(ran.stderr.includes('; --on /sys/kernel/btf takes the kernel of this machine')).toBe(
      local.status === 0,
    );
    expect((await run('--on', '@gone')).stderr).not.toContain('--on /sys/kernel/btf');
  });

  test('knows its version, so that an option for it would not mean anything', async () => {
    expect(await run('--kernel-version', '6.1')).toMatchObject({ status: 2, stdout: '' });
  });

  test('a module is not a kernel', async () => {
    const ran = await run('--on', 'agent_mod');
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toBe(
      'btfctl: agent_mod is not a kernel\nhint: use vmlinux, @NODE, id:ID, or the path of a file or a folder\n',
    );
    // A folder of this name is in the working directory of tests.
    expect((await run('--on', 'packages')).stderr).toContain(
      'hint: for the file or folder, use --on ./packages\n',
    );
    expect(await run('--on', '@here/agent_mod')).toMatchObject({ status: 2, stdout: '' });
  });
});
