import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { runCli } from '../testing/run-cli.js';
import { writeSmallKernel } from '../testing/small-kernel.js';

const AGENT = fileURLToPath(new URL('../compat/testdata/agent.bpf.o', import.meta.url));

describe('compat prints', () => {
  let dir: string;
  let on: readonly string[];

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-compat-'));
    for (const name of ['a.o', 'b.o']) writeFileSync(join(dir, name), readFileSync(AGENT));
    writeSmallKernel(join(dir, 'new'));
    writeSmallKernel(join(dir, 'old'), { members: ['pid', 'tgid', 'gone_by'] });
    on = ['--on', join(dir, 'new'), '--on', join(dir, 'old')];
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** The output of a run, without the path of the folder. */
  async function print(...args: readonly string[]): Promise<string> {
    const { stdout } = await runCli(['compat', ...args]);
    return stdout.replaceAll(`${dir}/`, '');
  }
  const shown = async (...args: readonly string[]): Promise<string[]> => (await print(...args)).split('\n');

  test('a verdict, counts and findings for one object and one kernel', async () => {
    const programs = ['--program', 'asks', '--program', 'always', '--program', 'probe'];
    expect(await shown(AGENT, ...on.slice(2), ...programs)).toEqual([
      'agent.bpf.o  old, as libbpf 1.8 loads it: fails',
      '  9 programs (3 loaded); 3 relocations: 2 guarded, 1 fails; 10 other needs: 9 fit, 1 unknown',
      '  BTF does not say whether 1 function can be probed; whether the kernel lets programs attach to 1 target',
      '  fails  byte_off  struct task_struct.gone',
      '      struct task_struct has no member gone; the verifier always reaches it',
      '      similar names in the kernel: gone_by',
      '      agent.bpf.c:48  SEC("?tp_btf/task_newtask") int always(unsigned long long *context) { return READ(task_struct, gone); }',
      '      in always insn 1',
      '  guarded  field_exists  struct task_struct.gone',
      '      struct task_struct has no member gone',
      '      agent.bpf.c:34  SEC("tp_btf/task_newtask") int asks(unsigned long long *context) {',
      '      in asks insn 1',
      '  guarded  byte_off  struct task_struct.gone',
      '      struct task_struct has no member gone; the verifier never reaches it on this kernel',
      '      agent.bpf.c:35  return __builtin_preserve_field_info(((struct task_struct *)context[0])->gone, 2) ? READ(task_struct, gone) : 0;',
      '      in asks insn 4',
      '  unknown  symbol  do_exit',
      '      the symbols of the kernel decide: vmlinux has a function of this name',
      '      agent.bpf.c:54  SEC("?kprobe/do_exit") int probe(void *context) { return 0; }',
      '      in probe',
      '',
    ]);
  });

  test('what changes, and what fits, with --all', async () => {
    const text = await print(AGENT, ...on.slice(0, 2), '--program', 'moved', '--all');
    expect(text).toContain('  changed  byte_off  struct task_struct.tgid  4 → 8\n');
    expect(text).toContain('  fits  attach target  task_newtask\n');
    expect(await print(AGENT, ...on.slice(0, 2), '--program', 'moved')).not.toContain('tgid');
  });

  test('a matrix, with the findings that objects and kernels share', async () => {
    const files = [join(dir, 'a.o'), join(dir, 'b.o')];
    const lines = await shown(...files, ...on, '--program', 'moved', '--program', 'attached');
    // The width of a column follows the path of the folder.
    expect(lines.map((line) => line.replaceAll(/(?<=\S) {2,}/g, '  '))).toEqual([
      'OBJECT  new  old',
      'a.o  fails  fails',
      'b.o  fails  fails',
      '2 objects on 2 kernels: 2 fail',
      '',
      'a.o, b.o',
      '  fails  attach target  task_newtsk',
      "      the kernel's BTF has no function task_newtsk",
      '      similar names in the kernel: task_newtask',
      '      agent.bpf.c:52  SEC("?fentry/task_newtsk") int attached(unsigned long long *context) { return 0; }',
      '      in attached',
      '      on every kernel',
      '',
    ]);
    const guarded = await print(...files, ...on, '--program', 'asks', '-o', 'wide');
    expect(guarded).toMatch(/^OBJECT +new +old\na\.o +fits +fits\n/);
    expect(guarded).toContain('compared with [2] struct task_struct in vmlinux: has no member gone\n');
    expect(await print(...files, ...on, '--program', 'asks')).not.toContain('gone');
  });

  test('lines as wide as the terminal, with numbers for long names of kernels', async () => {
    const terminal = async (columns: number, ...more: string[]): Promise<string> => {
      const args = ['compat', join(dir, 'a.o'), ...on, '--program', 'a*', '--kernel-version', '6.1', ...more];
      return (await runCli(args, { PAGER: '' }, columns)).stdout;
    };
    const narrow = await terminal(60, '--color', 'never', '-o', 'table');
    expect(narrow.split('\n').slice(0, 5)).toEqual([
      `K1  ${dir}/new`,
      `K2  ${dir}/old`,
      '',
      'OBJECT  K1     K2',
      'a.o     fails  fails',
    ]);
    const findings = narrow.slice(narrow.indexOf('\na.o\n')).split('\n');
    expect(findings).toContain('      on every kernel');
    expect(findings).toContain('      struct task_struct has no member gone; the verifier');
    for (const line of findings) expect(line.length).toBeLessThanOrEqual(60);
    const wide = await terminal(400, '--color', 'never');
    expect(wide).toMatch(/^OBJECT +\S+\/new +\S+\/old\n/);
    expect(wide).toContain('      struct task_struct has no member gone; the verifier always reaches it\n');
    const colored = await terminal(60);
    expect(colored).toContain('\u001B[31mfails\u001B[39m');
    expect(await terminal(60, '--color', 'always')).toBe(colored);
  });

  test('Markdown, in which the texts of objects and errors mean nothing', async () => {
    const strange = join(dir, 'a|b|.o');
    writeFileSync(strange, readFileSync(AGENT));
    const options = ['--program', 'moved', '--program', 'attached', '-o', 'markdown'];
    expect(await shown(strange, join(dir, '<none>*.o'), ...on, ...options)).toEqual([
      '1 object on 2 kernels: 1 fails, as libbpf 1.8 loads them.',
      '',
      '| object | `new` | `old` |',
      '| --- | --- | --- |',
      String.raw`| ${'`'}a\|b\|.o${'`'} | **fails** | **fails** |`,
      '',
      '### `a|b|.o`',
      '',
      "- **fails** on every kernel: attach target `task_newtsk`: the kernel's BTF has no function task_newtsk  ",
      '  similar names in the kernel: `task_newtask`  ',
      '  `agent.bpf.c:52` `SEC("?fentry/task_newtsk") int attached(unsigned long long *context) { return 0; }`  ',
      '  in `attached`',
      '',
      '### Errors',
      '',
      String.raw`- no file matches \<none\>\*.o`,
      '',
    ]);
  });

  test('control characters of an object as replacement characters', async () => {
    const strange = join(dir, 'strange.o');
    const bytes = readFileSync(AGENT).toString('latin1').replaceAll('agent.bpf.c', 'agent\u001B[2J\n.');
    writeFileSync(strange, bytes, 'latin1');
    for (const format of ['table', 'wide', 'markdown']) {
      const text = await print(strange, ...on, '--program', 'always', '-o', format);
      expect(text).toContain('agent\uFFFD[2J\uFFFD.:48');
      expect(text).not.toContain('\u001B');
    }
    const json = await print(strange, ...on, '--program', 'always', '-o', 'json');
    expect(json).toContain(String.raw`agent\u001b[2J\n.`);
  });

  test('the same in JSON and YAML, and the objects that fit every kernel as names', async () => {
    const args = [join(dir, 'a.o'), join(dir, 'b.o'), ...on, '--program', 'moved'];
    const json: unknown = JSON.parse(await print(...args, '-o', 'json'));
    expect(parse(await print(...args, '-o', 'yaml'))).toEqual(json);
    expect(json).toMatchObject({ fits: true, errors: [] });
    expect(await print(...args, '-o', 'name')).toBe('a.o\nb.o\n');
    expect(await print(...args, '--program', 'always', '-o', 'name')).toBe('');
  });

  test('nothing but results on standard output, and 0 for risks that are allowed', async () => {
    const args = ['compat', AGENT, ...on, '--kernel-version', '6.1'];
    const [refused, allowed] = [await runCli(args), await runCli([...args, '--risk', 'allow'])];
    expect([refused.status, allowed.status]).toEqual([8, 0]);
    expect(allowed).toMatchObject({ stdout: refused.stdout, stderr: '' });
    expect(await runCli([...args, '--risk', 'allow', '--program', 'always'])).toMatchObject({ status: 8 });
    const names = await runCli([...args, '--risk', 'allow', '-o', 'name']);
    expect(names.stdout).toBe('agent.bpf.o\n');
  });
});
