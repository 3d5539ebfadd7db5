import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { type CliRun, runCli } from '../testing/run-cli.js';
import { writeSmallKernel } from '../testing/small-kernel.js';

const AGENT = fileURLToPath(new URL('../compat/testdata/agent.bpf.o', import.meta.url));

const PACKERS = {
  gz: (bytes: Uint8Array) => gzipSync(bytes),
  xz: (bytes: Uint8Array) => execFileSync('xz', ['-0'], { input: bytes }),
  zst: (bytes: Uint8Array) => execFileSync('zstd', ['-q'], { input: bytes }),
} as const;

describe.each(['gz', 'xz', 'zst'] as const)('compat with files of .%s', (ending) => {
  const run = needs(...(ending === 'gz' ? [] : [ending === 'xz' ? 'xz' : 'zstd']));
  let dir: string;
  /** A folder with vmlinux and a module, and the same compressed. */
  let plain: string;
  let packed: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-compat-'));
    plain = join(dir, 'plain');
    packed = join(dir, 'packed');
    mkdirSync(packed);
    writeSmallKernel(plain, { modules: { 'agent-mod.ko': 'module_only' } });
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const pack = (from: string, to: string): void => writeFileSync(to, PACKERS[ending](readFileSync(from)));
  const compat = (...args: readonly string[]): Promise<CliRun> => runCli(['compat', ...args]);

  /** A report without the paths in it. */
  async function report(...args: readonly string[]): Promise<unknown> {
    const { stdout } = await compat(...args, '-o', 'json');
    return JSON.parse(stdout.replaceAll(/(?:plain|packed)(\/vmlinux)?/g, '').replaceAll(`.${ending}`, ''));
  }

  run.test('reads kernels, and the modules beside them when an object needs one', async () => {
    for (const name of readdirSync(plain)) pack(join(plain, name), join(packed, `${name}.${ending}`));
    const ofModule = ['--program', 'of_module', '--program', 'moved'];
    const expected = await report(AGENT, '--on', plain, ...ofModule);
    expect(expected).toMatchObject({ results: [{ verdict: 'CHANGED', modules: ['agent_mod'] }] });
    expect(await report(AGENT, '--on', packed, ...ofModule)).toEqual(expected);
    // Without its modules.
    const alone = await report(AGENT, '--on', join(plain, 'vmlinux'), ...ofModule);
    expect(alone).toMatchObject({ results: [{ verdict: 'FAILS' }] });
    expect(await report(AGENT, '--on', join(packed, `vmlinux.${ending}`), ...ofModule)).toEqual(alone);
  });

  run.test('names a damaged module if an object needs one, and only then', async () => {
    const damaged = join(dir, 'damaged');
    writeSmallKernel(damaged);
    const path = join(damaged, `agent_mod.ko.${ending}`);
    pack(join(plain, 'agent-mod.ko'), path);
    writeFileSync(path, readFileSync(path).subarray(0, -5));
    expect((await compat(AGENT, '--on', damaged, '--program', 'moved')).status).toBe(0);
    const ran = await compat(AGENT, '--on', damaged, '--program', 'of_module');
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toContain(`btfctl: cannot decompress ${path}: `);
  });

  run.test(
    'reads objects and executables, also in folders, and leaves other files of folders out',
    async () => {
      const folder = join(dir, 'objects');
      mkdirSync(folder);
      const object = readFileSync(AGENT);
      const tool = join(dir, 'tool');
      writeFileSync(tool, Buffer.concat([Buffer.from('\x7fELF some code'), object, object]));
      pack(AGENT, join(folder, `a.bpf.o.${ending}`));
      pack(tool, join(folder, `tool.${ending}`));
      pack(fileURLToPath(import.meta.url), join(folder, `log.${ending}`));
      const ran = await compat(folder, '--on', plain, '--program', 'moved', '-o', 'name');
      expect(ran).toMatchObject({
        status: 0,
        stdout: `a.bpf.o.${ending}\ntool.${ending}.0\ntool.${ending}.1\n`,
        stderr: '',
      });
      const given = await compat(join(folder, `log.${ending}`), '--on', plain);
      expect(given).toMatchObject({ status: 3, stdout: '' });
    },
  );

  run.test('names damaged files of folders, which fail the check if they may be object files', async () => {
    const folder = join(dir, 'some-damaged');
    mkdirSync(folder);
    pack(AGENT, join(folder, `a.bpf.o.${ending}`));
    const large = join(dir, 'large');
    // Bytes that cannot be compressed, so that the beginning can be read.
    writeFileSync(large, Buffer.concat([readFileSync(AGENT), randomBytes(2 ** 19)]));
    const cut = (name: string, bytes: number): void => {
      const path = join(folder, `${name}.${ending}`);
      pack(large, path);
      writeFileSync(path, readFileSync(path).subarray(0, bytes));
    };
    const judge = async (): Promise<CliRun> =>
      compat(folder, '--on', plain, '--program', 'moved', '-o', 'name');
    cut('log', 7);
    const left = await judge();
    expect(left).toMatchObject({ status: 0, stdout: `a.bpf.o.${ending}\n` });
    expect(left.stderr).toMatch(/^btfctl: note: left out: cannot decompress .*log\.\w+: .*\n$/);
    // Its content begins as that of an object file.
    cut('tool', -5);
    const damaged = await judge();
    expect(damaged).toMatchObject({ status: 1, stdout: `a.bpf.o.${ending}\n` });
    expect(damaged.stderr).toMatch(/^btfctl: cannot decompress .*tool\.\w+: /m);
    rmSync(join(folder, `tool.${ending}`));
    cut('b.bpf.o', 7);
    for (const name of ['b.bpf.o', 'b.bpf', 'b.elf']) {
      cut(name, 7);
      const named = await judge();
      expect(named.status).toBe(1);
      expect(named.stderr).toContain(`btfctl: cannot decompress ${join(folder, name)}.${ending}: `);
      rmSync(join(folder, `${name}.${ending}`));
    }
  });

  run.test('writes the smallest BTF of a kernel to a file without the ending', async () => {
    const min = join(dir, 'min');
    const kernel = join(dir, `6.1.btf.${ending}`);
    pack(join(plain, 'vmlinux'), kernel);
    await compat(AGENT, '--on', kernel, '--program', 'moved', '--min-btf', min);
    expect(readdirSync(min)).toEqual(['6.1.btf']);
  });
});

needs('xz').test(
  'compat leaves out no file of a folder that could be decompressed with a program',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'btfctl-compat-'));
    const path = process.env['PATH'];
    try {
      const kernel = join(dir, 'kernel');
      const folder = join(dir, 'objects');
      writeSmallKernel(kernel);
      mkdirSync(folder);
      writeFileSync(join(folder, 'agent.bpf.o'), readFileSync(AGENT));
      writeFileSync(join(folder, 'other.xz'), PACKERS.xz(readFileSync(AGENT)));
      process.env['PATH'] = '/nonexistent';
      const ran = await runCli(['compat', folder, '--on', kernel, '--program', 'moved', '-o', 'name']);
      expect(ran).toMatchObject({ status: 1, stdout: 'agent.bpf.o\n' });
      expect(ran.stderr).toContain(
        `${join(folder, 'other.xz')} is compressed, and there is no program xz to decompress it`,
      );
    } finally {
      process.env['PATH'] = path;
      rmSync(dir, { recursive: true });
    }
  },
);
