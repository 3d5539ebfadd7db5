import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { minimalBtf, parseBpfObject, Spec } from '@btfd/btf';
import { FakeDaemon } from '@btfd/client/testing';
import { type CliRun, runCli } from '../testing/run-cli.js';
import { writeSmallKernel } from '../testing/small-kernel.js';

const AGENT = fileURLToPath(new URL('../compat/testdata/agent.bpf.o', import.meta.url));

describe('compat --min-btf', () => {
  let dir: string;
  let daemon: FakeDaemon;
  let expected: Buffer;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-min-btf-'));
    writeSmallKernel(join(dir, '6.1'));
    writeSmallKernel(join(dir, 'other'), { members: ['gone', 'pid', 'tgid'] });
    const btf = new Uint8Array(readFileSync(join(dir, '6.1', 'vmlinux')));
    writeFileSync(join(dir, 'kernel.btf'), btf);
    daemon = await FakeDaemon.start({
      objects: [{ name: 'vmlinux', btf }],
      kernelRelease: '../6.1.140-cloud',
    });
    const object = parseBpfObject(new Uint8Array(readFileSync(AGENT)));
    expected = Buffer.from(minimalBtf([object], Spec.parse(btf)).bytes);
  });
  afterAll(async () => {
    await daemon.stop();
    rmSync(dir, { recursive: true });
  });

  const run = (...args: readonly string[]): Promise<CliRun> =>
    runCli(['compat', AGENT, '--program', 'moved', ...args], { BTFD_ADDRESS: daemon.address });

  test('writes a file for each kernel, which relocates the objects as the kernel does', async () => {
    const out = join(dir, 'new', 'folder');
    const on = [
      '--on',
      join(dir, '6.1'),
      '--on',
      join(dir, 'kernel.btf'),
      '--on',
      'vmlinux',
      '--on',
      './none',
    ];
    const ran = await run(...on, '--min-btf', out, '-o', 'json');
    expect(ran.status).toBe(3);
    expect(readdirSync(out).toSorted()).toEqual(['6.1.btf', '_._6.1.140-cloud.btf', 'kernel.btf']);
    for (const name of readdirSync(out)) expect(readFileSync(join(out, name))).toEqual(expected);
    const { min_btf: written }: { min_btf: { kernel: string; file: string; size: number }[] } = JSON.parse(
      ran.stdout,
    );
    expect(written.toSorted((a, b) => (a.file < b.file ? -1 : 1))).toEqual([
      { kernel: join(dir, '6.1'), file: join(out, '6.1.btf'), size: expected.length },
      { kernel: 'vmlinux', file: join(out, '_._6.1.140-cloud.btf'), size: expected.length },
      { kernel: join(dir, 'kernel.btf'), file: join(out, 'kernel.btf'), size: expected.length },
    ]);
    expect(ran.stderr).toContain(`wrote ${out}/6.1.btf, ${expected.length} bytes\n`);
    const small = await run('--on', join(out, '6.1.btf'), '--all', '-o', 'json');
    expect(JSON.parse(small.stdout)).toMatchObject({
      results: [{ programs: expect.arrayContaining([expect.objectContaining({ name: 'moved' })]) }],
    });
    expect(small.stdout).toContain('"target_value": "8"');
  });

  test('kernels of one name share a file if they need the same', async () => {
    const out = join(dir, 'shared');
    const same = ['--on', join(dir, '6.1'), '--on', join(dir, '6.1', 'vmlinux')];
    expect(await run(...same, '--min-btf', out)).toMatchObject({ status: 0 });
    expect(readdirSync(out)).toEqual(['6.1.btf']);
    writeSmallKernel(join(dir, 'copy', '6.1'), { members: ['gone', 'pid', 'tgid'] });
    const ran = await run(...same.slice(2), '--on', join(dir, 'copy', '6.1'), '--min-btf', out);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain(`${out}/6.1.btf is already that of another kernel: write them one by one\n`);
    expect(readFileSync(join(out, '6.1.btf'))).toEqual(expected);
  });

  test('reports files that cannot be written, after the results', async () => {
    const ran = await run('--on', join(dir, '6.1'), '--min-btf', join(dir, 'kernel.btf'), '-o', 'name');
    expect(ran).toMatchObject({ status: 1, stdout: 'agent.bpf.o\n' });
    expect(ran.stderr).toMatch(/^btfctl: cannot write .*kernel\.btf\/6\.1\.btf: /);
    const proc = await run('--on', join(dir, '6.1'), '--min-btf', '/proc/none/here', '-o', 'name');
    expect(proc).toMatchObject({ status: 1, stdout: 'agent.bpf.o\n' });
    expect(proc.stderr).toMatch(/^btfctl: cannot write \/proc\/none\/here\/6\.1\.btf: /);
  });

  test('leaves nothing beside a file that it cannot replace', async () => {
    const out = join(dir, 'taken');
    mkdirSync(join(out, '6.1.btf'), { recursive: true });
    const ran = await run('--on', join(dir, '6.1'), '--min-btf', out);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain(`btfctl: cannot write ${out}/6.1.btf: `);
    expect(readdirSync(out)).toEqual(['6.1.btf']);
  });

  test('names the file of this machine’s kernel by its release', async () => {
    const out = join(dir, 'live');
    const ran = await run('--on', '/sys/kernel/btf', '--min-btf', out);
    // A machine may have no BTF.
    expect(ran.status === 3 || readdirSync(out).includes(`${release()}.btf`)).toBe(true);
  });
});
