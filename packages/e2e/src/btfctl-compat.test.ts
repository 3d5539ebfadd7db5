import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { btfctl, type Ran } from './testing/btfctl.js';
import { DEBIAN_KERNEL } from './testing/debian-kernel.js';
import { schemaErrors } from './testing/json-schema.js';
import { loadedPackages } from './testing/loaded-packages.js';

const AGENT = fileURLToPath(new URL('../../cli/src/compat/testdata/agent.bpf.o', import.meta.url));
/** Executables that embed objects. */
const PROGRAMS = fileURLToPath(new URL('../../../.cache/objects/libbpf-tools', import.meta.url));

describe('btfctl compat of the built program', () => {
  const run = (...args: string[]): Promise<Ran> =>
    btfctl(['compat', ...args], { BTFD_ADDRESS: 'unix:/nonexistent/btfd.sock' });

  test('reports errors without a result, with the exit codes of other commands', async () => {
    expect(await run(AGENT)).toMatchObject({ status: 6, stdout: '' });
    expect(await run(AGENT, '--loader', 'bcc')).toMatchObject({ status: 2, stdout: '' });
    expect(await run('./nope.o', '--on', './nope.btf')).toMatchObject({ status: 3, stdout: '' });
    expect((await run('--help')).stdout).toContain('exit status 8');
  });

  needs('debian-kernels').test('loads no gRPC for kernels in files', async () => {
    const args = ['compat', AGENT, '--on', DEBIAN_KERNEL, '--program', 'moved'];
    const { packages, status } = await loadedPackages(args);
    expect(status).toBe(0);
    expect([...packages].toSorted()).toEqual(['@btfd/btf', '@btfd/cli', 'commander', 'picocolors']);
  });

  needs('debian-kernels').test('its JSON matches its schema', async () => {
    for (const more of [[], ['--all'], ['--program', 'moved']]) {
      const ran = await run(AGENT, '--on', DEBIAN_KERNEL, '--on', './nope.btf', '-o', 'json', ...more);
      expect(ran.status).toBe(more.includes('moved') ? 3 : 8);
      expect(schemaErrors('compat', ran.stdout)).toEqual([]);
    }
  });

  needs('debian-kernels').test('reads the kernel from standard input', async () => {
    const vmlinux = join(DEBIAN_KERNEL, 'vmlinux');
    const ran = await run(AGENT, '--on', '-', '--on', vmlinux, '--program', 'moved');
    // Nothing is connected to it.
    expect(ran).toMatchObject({ status: 1, stderr: 'btfctl: -: standard input is empty\n' });
    expect(await run('-', '--on', '-')).toMatchObject({ status: 2, stdout: '' });
  });

  needs('debian-kernels', 'debian-objects').test(
    'finds the objects in the executables of a folder, and judges them against vmlinux and its modules',
    async () => {
      const ran = await run(PROGRAMS, '--on', DEBIAN_KERNEL, '--kernel-version', '6.1', '-o', 'json');
      expect(ran.status).toBe(8);
      expect(ran.stderr).toMatch(/^btfctl: note: if user space sets the targets .*\n$/);
      expect(schemaErrors('compat', ran.stdout)).toEqual([]);
      const { results }: { results: readonly { object: string; offset: number; verdict: string }[] } =
        JSON.parse(ran.stdout);
      const verdicts = Object.fromEntries(results.map(({ object, verdict }) => [object, verdict]));
      // Programs that Debian ships for this kernel, and some with variants that user space chooses from.
      expect(verdicts).toMatchObject({
        'runqlat.0': 'GUARDED',
        'execsnoop.0': expect.stringMatching(/FITS|CHANGED/),
        'tcptracer.0': 'UNKNOWN',
        'xfsdist.0': 'FAILS',
      });
      const found = results.find(({ object }) => object === 'runqlat.0');
      const bytes = readFileSync(join(PROGRAMS, 'runqlat')).subarray(found?.offset);
      expect(bytes.subarray(1, 4).toString()).toBe('ELF');
    },
  );
});
