import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CliRun, runCli } from '../testing/run-cli.js';
import { writeSmallKernel } from '../testing/small-kernel.js';

const AGENT = fileURLToPath(new URL('../compat/testdata/agent.bpf.o', import.meta.url));
const BIG = fileURLToPath(new URL('../compat/testdata/agent-eb.bpf.o', import.meta.url));

let dir: string;
/** A folder with vmlinux and modules. */
let kernel: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'btfctl-compat-'));
  kernel = join(dir, 'kernel');
  writeSmallKernel(kernel, { modules: { 'agent-mod': 'module_only', other_mod: 'unused' } });
  writeFileSync(join(kernel, 'notes.txt'), 'not a module');
});
afterAll(() => rmSync(dir, { recursive: true }));

const run = (...args: readonly string[]): Promise<CliRun> => runCli(['compat', ...args]);

/** The verdicts of the programs that are loaded. */
async function verdicts(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(AGENT, '-o', 'json', ...args);
  const { results }: { results: { programs: { name: string; loaded: boolean; verdict: string }[] }[] } =
    JSON.parse(stdout);
  const programs = results.flatMap((result) => result.programs.filter(({ loaded }) => loaded));
  return Object.fromEntries(programs.map(({ name, verdict }) => [name, verdict]));
}

describe('the kernel', () => {
  test('is a file or a folder, whose modules are only read if they are needed', async () => {
    writeSmallKernel(join(dir, 'broken'));
    mkdirSync(join(dir, 'broken', 'folder'));
    writeFileSync(join(dir, 'broken', 'README'), 'not a module');
    const vmlinux = join(kernel, 'vmlinux');
    expect(await verdicts('--on', vmlinux, '--program', 'of_module')).toEqual({ of_module: 'FAILS' });
    expect(await verdicts('--on', kernel, '--program', 'of_module')).toEqual({ of_module: 'FITS' });
    expect(await verdicts('--on', join(dir, 'broken'), '--program', 'moved')).toEqual({ moved: 'CHANGED' });
    const ofModule = ['--on', join(dir, 'broken'), '--program', 'of_module'];
    expect(await verdicts(...ofModule)).toEqual({ of_module: 'FAILS' });
    writeFileSync(join(dir, 'broken', 'junk'), Buffer.from('9feb01ff', 'hex'));
    const ran = await run(AGENT, ...ofModule);
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toContain(`btfctl: ${join(dir, 'broken', 'junk')}: `);
  });

  test.each([
    [['--modules', 'none'], 'FAILS'],
    [['--modules', 'other_mod'], 'FAILS'],
    [['--modules', 'agent-mod'], 'FITS'],
    [['--modules', 'other_mod,agent_mod'], 'FITS'],
    [['--modules', 'other_mod', '--modules', 'agent_mod'], 'FITS'],
  ])('has the modules of %j', async (options, verdict) => {
    const found = await verdicts('--on', kernel, '--program', 'of_module', ...options);
    expect(found).toEqual({ of_module: verdict });
  });

  test.each([
    [['--modules', 'nope'], 3, /kernel has no module nope$/],
    [['--modules', 'none,agent_mod'], 2, /Use none alone/],
    [['--modules', 'a,,b'], 2, /A name is empty/],
  ])('refuses %j', async (options, status, message) => {
    const ran = await run(AGENT, '--on', kernel, ...options);
    expect(ran).toMatchObject({ status, stdout: '' });
    expect(ran.stderr).toMatch(new RegExp(message.source, 'm'));
  });

  test('is not a BPF object, a module or a folder without vmlinux', async () => {
    for (const [spec, message] of [
      [AGENT, 'is a BPF object, not of a kernel'],
      [join(kernel, 'agent-mod'), 'is the BTF of a module, not of a kernel'],
      [dir, 'there is no file'],
    ] as const) {
      const ran = await run(AGENT, '--on', spec);
      expect(ran.stdout).toBe('');
      expect(ran.stderr).toContain(message);
    }
  });

  test('has the version of --kernel-version, and a note asks for it if it matters', async () => {
    const options = ['--on', kernel, '--program', 'by_version'];
    const unknown = await run(AGENT, ...options);
    expect(unknown).toMatchObject({
      status: 8,
      stderr: `btfctl: note: agent.bpf.o: the result may depend on the version of the kernel, which is not known for ${kernel}: give it with --kernel-version\n`,
    });
    expect(await verdicts(...options, '--kernel-version', '6.1')).toEqual({ by_version: 'GUARDED' });
    expect(await verdicts(...options, '--kernel-version', '5.10.226-cloud')).toEqual({ by_version: 'FAILS' });
    const versions = ['--kernel-version', '6.1', '--kernel-version', '5.10'];
    const two = await run(AGENT, ...options, '--on', join(kernel, 'vmlinux'), ...versions);
    expect(two.stdout.split('\n')[1]).toMatch(/^agent\.bpf\.o +fits +fails$/);
    expect(await run(AGENT, ...options, ...versions)).toMatchObject({ status: 2, stdout: '' });
    expect(await run(AGENT, ...options, '--kernel-version', '6')).toMatchObject({ status: 2, stdout: '' });
  });
});

describe('the programs', () => {
  test('are those that the loader loads, or those of --program', async () => {
    const all = [
      'always',
      'asks',
      'attached',
      'by_limit',
      'by_setting',
      'by_version',
      'moved',
      'of_module',
      'probe',
    ];
    const names = async (...args: readonly string[]): Promise<string[]> =>
      Object.keys(await verdicts('--on', kernel, ...args)).toSorted();
    expect(await names()).toEqual(['asks', 'by_setting', 'by_version', 'moved']);
    expect(await names('--loader', 'cilium')).toEqual(all);
    expect(await names('--program', 'by_*', '--program', 'probe')).toEqual([
      'by_limit',
      'by_setting',
      'by_version',
      'probe',
    ]);
    const none = await run(AGENT, '--on', kernel, '--program', 'movd');
    expect(none).toMatchObject({ status: 3, stdout: '' });
    expect(none.stderr).toBe('btfctl: no object has a program "movd"\nhint: did you mean moved?\n');
    expect(await run(AGENT, '--on', kernel, '--program', '[a')).toMatchObject({ status: 2, stdout: '' });
  });

  test('may all be left to user space, which a note says', async () => {
    const path = join(dir, 'left.o');
    const bytes = readFileSync(AGENT).toString('latin1').replaceAll('tp_btf/task', '?p_btf/task');
    writeFileSync(path, bytes, 'latin1');
    const ran = await run(path, '--on', kernel);
    expect(ran).toMatchObject({
      status: 0,
      stderr:
        'btfctl: note: left.o: the loader loads none of its programs by default; choose some with --program\n',
    });
    expect(ran.stdout).toContain('  9 programs (0 loaded);');
    expect((await run(path, '--on', kernel, '--program', 'moved')).stderr).toBe('');
  });

  test('attach to the targets of --attach', async () => {
    const options = ['--on', kernel, '--program', 'attached'];
    expect(await verdicts(...options)).toEqual({ attached: 'FAILS' });
    expect(await verdicts(...options, '--attach', 'attached=task_newtask')).toEqual({ attached: 'FITS' });
    const ran = await run(AGENT, ...options, '--attach', 'nope=task_newtask');
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(await run(AGENT, ...options, '--attach', 'attached')).toMatchObject({ status: 2, stdout: '' });
  });

  test('may attach to what the kernel lacks because user space sets it, which a note says', async () => {
    const options = ['--on', kernel, '--program', 'attached'];
    const { stderr } = await run(AGENT, ...options);
    expect(stderr).toContain(
      'btfctl: note: if user space sets the targets of programs, such as attached of agent.bpf.o, give them with ' +
        '--attach attached=TARGET; if it does not load them, choose others with --program\n',
    );
    expect((await run(AGENT, ...options, '--attach', 'attached=nope')).stderr).not.toContain('--attach');
    const path = join(dir, 'no-target.o');
    const bytes = readFileSync(AGENT).toString('latin1');
    writeFileSync(path, bytes.replaceAll('?fentry/task_newtsk', '?fentry\0'.padEnd(19, 'x')), 'latin1');
    const untold = await run(path, ...options);
    expect(untold.stdout).toContain('  unknown  attach target  (not set)\n      the section names no target');
    expect(untold.stderr).toContain('--attach attached=TARGET');
  });
});

describe('the values of --set', () => {
  const LIMIT = [
    '--set',
    'limit=5',
    '--set',
    'level=-1',
    '--set',
    'mode=MODE_FAST',
    '--set',
    'name=hex:78 00 00 00',
  ];

  test('are integers, words, names of enum values and bytes, in the byte order of the object', async () => {
    const setting = ['--on', kernel, '--program', 'by_setting'];
    expect(await verdicts(...setting)).toEqual({ by_setting: 'AT_RISK' });
    expect(await verdicts(...setting, '--set', 'use_gone=true')).toEqual({ by_setting: 'AT_RISK' });
    expect(await verdicts(...setting, '--set', 'use_gone=0')).toEqual({ by_setting: 'GUARDED' });
    const limit = ['--on', kernel, '--program', 'by_limit', '--set', 'use_gone=0'];
    expect(await verdicts(...limit, ...LIMIT)).toEqual({ by_limit: 'AT_RISK' });
    for (const other of ['limit=0x6', 'level=1', 'mode=0', 'name=hex:79000000']) {
      expect(await verdicts(...limit, ...LIMIT, '--set', other)).toEqual({ by_limit: 'GUARDED' });
    }
    writeSmallKernel(join(dir, 'big'), { bigEndian: true });
    const big = await run(BIG, '--on', join(dir, 'big'), '--program', 'by_limit', ...LIMIT, '-o', 'json');
    expect(JSON.parse(big.stdout)).toMatchObject({ results: [{ verdict: 'AT_RISK', byte_order: 'big' }] });
    const swapped = LIMIT.map((word) => (word === 'limit=5' ? 'limit=0x0500000000000000' : word));
    const other = await run(BIG, '--on', join(dir, 'big'), '--program', 'by_limit', ...swapped, '-o', 'json');
    expect(JSON.parse(other.stdout)).toMatchObject({ results: [{ verdict: 'GUARDED' }] });
  });

  test.each([
    ['use_gone', 2, '--set use_gone is not a name and a value'],
    ['use_gone=2', 2, 'use_gone is volatile const bool, which takes 0 to 1'],
    ['level=32768', 2, 'level is volatile const short, which takes -32768 to 32767'],
    ['limit=-1', 2, 'which takes 0 to 18446744073709551615'],
    ['limit=five', 2, 'and the value is not an integer'],
    ['limit=hex:05', 2, 'which has 8 bytes, and the value has 1'],
    ['limit=hex:5', 2, 'and the value has bytes that are not two hexadecimal digits'],
    ['name=abc', 2, 'so its value must be 4 bytes, such as --set name=hex:00000000'],
    ['limt=5', 3, 'no object has a read-only variable "limt"\nhint: did you mean limit?'],
  ])('cannot be %s', async (setting, status, message) => {
    const ran = await run(AGENT, '--on', kernel, '--set', setting);
    expect(ran).toMatchObject({ status, stdout: '' });
    expect(ran.stderr).toContain(message);
  });
});

describe('the objects', () => {
  test('are those of object files, executables, folders and globs, each once', async () => {
    const folder = join(dir, 'objects');
    mkdirSync(join(folder, 'deeper'), { recursive: true });
    const object = readFileSync(AGENT);
    copyFileSync(AGENT, join(folder, 'a.bpf.o'));
    copyFileSync(AGENT, join(folder, 'deeper', 'a.bpf.o'));
    writeFileSync(join(folder, 'tool'), Buffer.concat([Buffer.from('\x7fELF some code'), object, object]));
    writeFileSync(join(folder, 'script'), Buffer.concat([Buffer.from('#!/bin/sh\n'), object]));
    const names = async (...files: readonly string[]): Promise<string> =>
      (await run(...files, '--on', kernel, '--program', 'moved', '-o', 'name')).stdout;
    expect(await names(folder, join(folder, 'tool'))).toBe('a.bpf.o\ntool.0\ntool.1\n');
    expect(await names(join(folder, '*'))).toBe(
      `${folder}/a.bpf.o\n${folder}/deeper/a.bpf.o\nscript.0\ntool.0\ntool.1\n`,
    );
    expect(await names(join(folder, '[st]*'))).toBe('script.0\ntool.0\ntool.1\n');
    const same = [join(folder, 'a.bpf.o'), join(folder, 'deeper'), `${folder}/./a.bpf.o`];
    expect(await names(...same)).toBe(`${same[0]}\n${same[1]}/a.bpf.o\n`);
    expect(await names(join(folder, '*.nope'))).toBe('');
    expect(await run(kernel, '--on', kernel)).toMatchObject({ status: 3, stdout: '' });
  });

  test('are judged also if others cannot be read', async () => {
    const broken = join(dir, 'broken.bpf.o');
    writeFileSync(broken, readFileSync(AGENT).subarray(0, 200));
    const files = [join(dir, 'none.o'), AGENT, broken, join(kernel, 'vmlinux')];
    const ran = await run(...files, '--on', kernel, '--program', 'moved', '-o', 'json');
    expect(ran.status).toBe(3);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      fits: false,
      results: [{ object: 'agent.bpf.o', verdict: 'CHANGED' }],
      errors: [
        { file: files[0], exit_code: 3 },
        { file: files[2], exit_code: 1 },
        { file: files[3], exit_code: 3 },
      ],
    });
    expect(ran.stderr.split('\n')).toEqual([
      `btfctl: there is no file ${files[0]}`,
      expect.stringMatching(`btfctl: ${broken}: `),
      `btfctl: ${files[3]} is not a BPF object, and none is embedded in it`,
      '',
    ]);
    // An object that does not fit counts more than a file that cannot be read.
    expect(await run(...files, '--on', kernel, '--program', 'always')).toMatchObject({ status: 8 });
    const alone = await run(broken, '--on', kernel, '-o', 'json');
    expect(alone).toMatchObject({ status: 1, stdout: '' });
  });
});
