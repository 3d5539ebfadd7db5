import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { btfctl, type Ran } from './testing/btfctl.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { schemaErrors } from './testing/json-schema.js';

const AGENT = fileURLToPath(new URL('../../cli/src/compat/testdata/agent.bpf.o', import.meta.url));
/** Executables that embed objects. */
const PROGRAMS = fileURLToPath(new URL('../../../.cache/objects/libbpf-tools', import.meta.url));

interface Result extends Readonly<Record<string, unknown>> {
  readonly kernel: string;
  readonly depends_on_kernel_version: boolean;
}

needs('bpf').describe('btfctl compat and the running kernel', () => {
  let daemon: DaemonProcess;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
  });
  afterAll(() => daemon[Symbol.asyncDispose]());

  const run = (...args: string[]): Promise<Ran> =>
    btfctl(['compat', ...args], { BTFD_ADDRESS: daemon.address });

  needs().test('it is the default, and has its release and its version', async () => {
    const ran = await run(AGENT, '--program', 'by_version', '-o', 'json');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(schemaErrors('compat', ran.stdout)).toEqual([]);
    const { results }: { results: readonly object[] } = JSON.parse(ran.stdout);
    expect(results).toMatchObject([
      { kernel: 'vmlinux', kernel_release: expect.any(String), verdict: 'GUARDED', loader_release: '1.8' },
    ]);
  });

  needs().test('options and failures are those of kernels in files', async () => {
    const always = await run(AGENT, '--program', 'always', '--all', '-o', 'json');
    expect(always.status).toBe(8);
    expect(schemaErrors('compat', always.stdout)).toEqual([]);
    const setting = ['--program', 'by_setting'];
    expect(await run(AGENT, ...setting)).toMatchObject({ status: 8 });
    expect(await run(AGENT, ...setting, '--risk', 'allow')).toMatchObject({ status: 0 });
    expect(await run(AGENT, ...setting, '--set', 'use_gone=0')).toMatchObject({ status: 0 });
    const attach = ['--program', 'attached', '--attach', 'attached=do_exit'];
    expect(await run(AGENT, ...attach, '--modules', 'none')).toMatchObject({ status: 0, stderr: '' });
    const other = await run(AGENT, '--on', 'unix:/nonexistent.sock', '--on', 'vmlinux', '--program', 'asks');
    expect(other.status).toBe(6);
    expect(other.stdout).toMatch(/^agent\.bpf\.o +error +fits$/m);
    expect((await run(AGENT, '--on', 'id:4294967295')).status).toBe(3);
    expect((await run(AGENT, '--modules', 'no_such_module', '--program', 'asks')).status).toBe(3);
  });

  needs('debian-objects').test('a daemon and this process judge objects in the same way', async () => {
    expect(existsSync('/sys/kernel/btf/vmlinux')).toBe(true);
    const on = ['--on', 'vmlinux', '--on', '/sys/kernel/btf'];
    const ran = await run(PROGRAMS, ...on, '--all', '-o', 'json');
    expect(ran.status).toBe(8);
    const { results, errors }: { results: readonly Result[]; errors: readonly unknown[] } = JSON.parse(
      ran.stdout,
    );
    expect(errors).toEqual([]);
    const [remote, local] = ['vmlinux', '/sys/kernel/btf'].map((kernel) =>
      results
        .filter((result) => result.kernel === kernel && !result.depends_on_kernel_version)
        .map(({ object, verdict, counts, programs, not_judged: notJudged, modules, ...more }) => {
          return {
            object,
            verdict,
            counts,
            programs,
            notJudged,
            modules,
            own: [more['needs'], more['relocations']],
          };
        }),
    );
    expect(remote?.length).toBeGreaterThan(20);
    expect(remote).toEqual(local);
  });
});
