import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compareC, has, needs } from 'test-tools';
import { btfctl, BTFCTL, type Ran } from './testing/btfctl.js';
import { DEBIAN_KERNEL } from './testing/debian-kernel.js';
import { compileC } from './testing/compile-c.js';
import { schemaErrors } from './testing/json-schema.js';

const PROGRAM = fileURLToPath(new URL('../testdata/btf/program.bpf.o', import.meta.url));
/** The tools of {@link compileC}. */
const COMPILERS = ['gcc', 'pahole', 'objcopy'] as const;
const SOURCES = fileURLToPath(new URL('../testdata/btf', import.meta.url));

describe('btfctl on files, without a daemon', () => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-files-'));
    if (!COMPILERS.every(has)) return;
    for (const name of ['before', 'after']) compile(name, readFileSync(join(SOURCES, `${name}.c`), 'utf8'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const run = (...args: string[]): Promise<Ran> =>
    btfctl(args, { BTFD_ADDRESS: 'unix:/nonexistent/btfd.sock' });

  needs(...COMPILERS).test('diff reports the types that were added, removed and changed', async () => {
    const [before, after] = [join(dir, 'before.o'), join(dir, 'after.o')];
    const ran = await run('diff', before, after);
    expect(ran).toMatchObject({ status: 5, stderr: '' });
    expect(ran.stdout.split('\n')).toEqual([
      `--- ${before}`,
      `+++ ${after}`,
      '- struct gone, 8 bytes',
      '+ struct fresh, 16 bytes',
      '~ struct bits',
      '    ~ a: unsigned int:3 → unsigned int:4',
      '    ~ b moved by +1 bit',
      '~ struct item, 28 → 48 bytes',
      '    + flags: long int at 8',
      '    + slots[].more: short int at 2',
      '    ~ 5 members from name on moved by +12 bytes',
      '~ enum (anonymous)',
      '    ~ CONST_B = 2 → 3',
      '~ enum color',
      '    - OLD = 3',
      '    + BLUE = 6',
      '    ~ GREEN = 2 → 5',
      '~ typedef opaque_t, 4 → 8 bytes',
      '    ~ v: int → long int',
      '~ func f',
      '    - int f(int a, struct item *p)',
      '    + int f(int a, const struct item *p, long int more)',
      '1 removed, 1 added, 6 changed, 7 the same',
      '',
    ]);
    const json = await run('diff', before, after, '-o', 'json');
    expect(schemaErrors('diff', json.stdout)).toEqual([]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      added: [{ kind: 'STRUCT', name: 'fresh', size: 16 }],
      removed: [{ kind: 'STRUCT', name: 'gone', size: 8 }],
      same: 7,
    });
    const some = await run('diff', before, after, '--type', 'co*', '--kind', 'enum', '-o', 'name');
    expect(some).toMatchObject({ status: 5, stdout: '~ enum color\n' });
    expect((await run('diff', before, before)).status).toBe(0);
  });

  needs(...COMPILERS).test(
    'diff --closure compares the types that a module uses of its base, each side with its own base',
    async () => {
      for (const [side, more] of [
        ['a', ''],
        ['b', 'int b;'],
      ] as const) {
        const shared = `struct shared { int a; ${more} };`;
        const base = compile(
          `base-${side}`,
          `${shared} struct unused_${side} { long x; } u; struct shared s;`,
        );
        execFileSync('objcopy', ['--dump-section', `.BTF=${base}.btf`, base]);
        compile(`mod-${side}`, `${shared} struct mine { struct shared *s; } m;`, `${base}.btf`);
      }
      const sides = [join(dir, 'mod-a.o'), join(dir, 'mod-b.o')] as const;
      const bases = ['--base', join(dir, 'base-a.o.btf'), '--base', join(dir, 'base-b.o.btf')];
      const own = await run('diff', ...sides, ...bases);
      expect(own).toMatchObject({ status: 0, stderr: '' });
      expect(own.stdout).toMatch(/^0 removed, 0 added, 0 changed, 1 the same$/m);
      const all = await run('diff', ...sides, ...bases, '--closure');
      expect(all.status).toBe(5);
      // `struct mine` and `int` are the same. Types of the base that the module does not use are not reported.
      expect(all.stdout.split('\n').slice(2)).toEqual([
        '~ struct shared, 4 → 8 bytes',
        '    + b: int at 4',
        '0 removed, 0 added, 1 changed, 2 the same',
        '',
      ]);
      expect(await run('diff', ...sides, ...bases, ...bases)).toMatchObject({ status: 2, stdout: '' });
      const nothing = await run('diff', ...sides, ...bases, '--type', 'no_such');
      expect(nothing).toMatchObject({ status: 3, stdout: '' });
    },
  );

  needs(...COMPILERS).test(
    '--base is for split BTF only, and a base that does not fit is rejected',
    async () => {
      compile('kernel', 'struct shared { int a; } s; struct unused { long x; } u;');
      const [kernel, module] = [join(dir, 'kernel.o'), join(dir, 'module.o')];
      execFileSync('objcopy', ['--dump-section', `.BTF=${kernel}.btf`, kernel]);
      compile('module', 'struct shared { int a; }; struct mine { struct shared *s; } m;', `${kernel}.btf`);
      const whole = join(dir, 'before.o');
      const dump = await run('dump', whole, '--base', kernel, '-o', 'name');
      expect(dump).toEqual(await run('dump', whole, '-o', 'name'));
      const diff = await run(
        'diff',
        module,
        whole,
        '--base',
        kernel,
        '--type',
        'mine',
        '--type',
        'item',
        '-o',
        'name',
      );
      expect(diff).toEqual({ status: 5, stdout: '- struct mine\n+ struct item\n', stderr: '' });
      expect(await run('dump', module, '--base', whole)).toEqual({
        status: 1,
        stdout: '',
        stderr:
          `btfctl: ${module} is not split from ${whole}: its names do not start at string boundaries of that base\n` +
          'hint: a module belongs to one build of the kernel: name the BTF of that build with --base\n',
      });
    },
  );

  needs(...COMPILERS).test('similar names are suggested for a misspelt type', async () => {
    const object = join(dir, 'before.o');
    const layout = await run('layout', 'itme', '--in', object);
    expect(layout).toMatchObject({ status: 3, stdout: '' });
    expect(layout.stderr).toContain(`btfctl: no type of ${object} is named "itme"; did you mean "item"?\n`);
    const member = await run('member', 'itme.name', '--in', object);
    expect(member).toMatchObject({ status: 3, stdout: '' });
    expect(member.stderr).toBe(
      'btfctl: itme: no struct, union or typedef of this name; did you mean "item"?\n',
    );
  });

  /** Compiles an object file, whose BTF pahole writes and splits from a base if there is one. */
  function compile(name: string, source: string, base?: string): string {
    const path = join(dir, `${name}.o`);
    compileC(source, path, base);
    return path;
  }

  test('diff reports declaration tags and type tags, as clang writes them', async () => {
    const tag = '__attribute__((btf_decl_tag("new")))';
    const [before, after] = [join(SOURCES, 'tags-before.bpf.o'), join(SOURCES, 'tags-after.bpf.o')];
    const { stdout, status } = await run('diff', before, after);
    expect(status).toBe(5);
    expect(stdout.split('\n').slice(2)).toEqual([
      '~ struct s',
      `    + ${tag}`,
      `    ~ x: int → int ${tag}`,
      '    ~ p: int * → int __attribute__((btf_type_tag("user"))) *',
      '~ var s',
      `    + ${tag}`,
      expect.stringMatching(/^0 removed, 0 added, 2 changed, \d the same$/),
      '',
    ]);
    const json = await run('diff', before, after, '-o', 'json');
    expect(schemaErrors('diff', json.stdout)).toEqual([]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      changed: [
        { tags: { added: [{ tag: 'btf_decl_tag("new")' }], removed: [] } },
        { kind: 'VAR', tags: { added: [{ tag: 'btf_decl_tag("new")' }] } },
      ],
    });
  });

  needs(...COMPILERS).test('layout draws a struct by cache line', async () => {
    const object = join(dir, 'before.o');
    const { stdout, status } = await run('layout', 'item', '--in', object);
    expect(status).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'struct item  28 bytes, 1 cache line, 4 members, 2 bytes of padding',
      '',
      '       0 ▏cou▏name···▏pos····▏slots▒▒',
      '       0       4  int count',
      '       4       8  char name[8]',
      '      12       8  struct {',
      '      12       4    int x',
      '      16       4    int y',
      '                  } pos',
      '      20       6  struct { ... } slots[3]',
      '      26          ▒ padding of 2 bytes',
      '',
    ]);
    const json = await run('layout', 'item', 'bits', 'u', '--in', object, '-o', 'json');
    expect(schemaErrors('layout', json.stdout)).toEqual([]);
    expect(JSON.parse(json.stdout)).toMatchObject([{ name: 'item' }, { name: 'bits' }, { name: 'u' }]);
    expect((await run('layout', 'f', '--in', object)).status).toBe(3);
  });

  needs(...COMPILERS, 'bpftool').test('types of a file are printed, found and resolved', async () => {
    const object = join(dir, 'before.o');
    expect((await run('dump', object)).stdout).toBe(
      execFileSync('bpftool', ['btf', 'dump', 'file', object], { encoding: 'utf8' }),
    );
    expect((await run('find', 'item', '--in', object, '-o', 'name')).stdout).toBe('item\n');
    expect((await run('member', 'item.slots[2].tag', '--in', object)).stdout).toContain(
      '24    16  short int',
    );
    const piped = execFileSync('sh', ['-c', `"$0" "$1" dump - < ${object}`, process.execPath, BTFCTL], {
      encoding: 'utf8',
    });
    expect(piped).toBe((await run('dump', object)).stdout);
  });

  needs('bpftool', 'debian-kernels').test(
    'root_id, and several modules of a kernel, print what bpftool prints',
    async () => {
      const path = (name: string): string => join(DEBIAN_KERNEL, name);
      const vmlinux = path('vmlinux');
      const bpftool = (...args: string[]): string =>
        execFileSync('bpftool', args, {
          encoding: 'utf8',
          maxBuffer: 1 << 28,
          stdio: ['ignore', 'pipe', 'pipe'],
        });
      const roots = ['format', 'c', 'root_id', '150', 'root_id', '151'];
      expect((await run('dump', vmlinux, ...roots)).stdout).toBe(
        bpftool('btf', 'dump', 'file', vmlinux, ...roots),
      );
      expect((await run('dump', vmlinux, '--root-id', '150')).stdout).toBe(
        bpftool('btf', 'dump', 'file', vmlinux, 'root_id', '150'),
      );
      const files = ['file', path('xfs'), 'file', path('nf_conntrack')];
      const theirs = bpftool('-B', vmlinux, 'btf', 'dump', ...files, 'format', 'c');
      const ours = await run('dump', ...files, '--base', vmlinux, 'format', 'c');
      expect(compareC(ours.stdout, theirs).unexplained).toEqual([]);
      const header = await run('header', path('xfs'), path('nf_conntrack'), vmlinux, '--base', vmlinux);
      expect(header.stdout === ours.stdout).toBe(true);
    },
  );

  test.each([
    ['a missing file', ['dump', './nothing.btf'], 3, 'there is no file ./nothing.btf'],
    ['a file of something else', ['dump', '/etc/passwd'], 1, '/etc/passwd is neither BTF nor an ELF file'],
    ['an ELF file without BTF', ['dump', '/bin/true'], 3, 'ELF file has no section .BTF'],
    ['a missing daemon', ['list'], 6, 'cannot reach the daemon at unix:/nonexistent/btfd.sock: '],
    [
      'an invalid address',
      ['list', '--address', 'nowhere'],
      2,
      'invalid address "nowhere": use unix:/PATH or HOST:PORT',
    ],
    ['an unknown format', ['dump', 'vmlinux', 'format', 'pdf'], 2, 'unknown format "pdf"'],
    ['an unknown option', ['list', '--nothing'], 2, "unknown option '--nothing'"],
    ['an unknown command', ['lits'], 2, "unknown command 'lits'"],
    ['an unknown context', ['list', '--context', 'x'], 3, 'there is no context "x"'],
    ['an invalid time', ['list', '--timeout', 'soon'], 2, 'Use a time such as'],
    ['TLS on a socket', ['list', '--tls-ca', 'ca.pem'], 2, 'which has no TLS'],
    ['a certificate without key', ['list', '-a', 'x:1', '--tls-cert', '/etc/passwd'], 2, 'needs its key'],
    ['a missing TLS file', ['list', '-a', 'x:1', '--tls-ca', './no.pem'], 2, 'authorities (ca): ENOENT'],
  ])('%s is reported in words', async (_, args, status, text) => {
    const ran = await run(...args);
    expect(ran).toMatchObject({ status, stdout: '' });
    expect(ran.stderr).toMatch(/^btfctl: /);
    expect(ran.stderr).toContain(text);
  });

  needs('xz', 'zstd', 'bpftool').test('a compressed module is read as the module itself', async () => {
    const bytes = readFileSync(PROGRAM);
    const packed = {
      gz: gzipSync(bytes),
      xz: execFileSync('xz', ['-c', PROGRAM]),
      zst: execFileSync('zstd', ['-qc', PROGRAM]),
    };
    const expected = execFileSync('bpftool', ['btf', 'dump', 'file', PROGRAM], { encoding: 'utf8' });
    for (const [ending, content] of Object.entries(packed)) {
      const name = `module.ko.${ending}`;
      writeFileSync(join(dir, name), content);
      expect(await run('dump', join(dir, name))).toEqual({ stdout: expected, stderr: '', status: 0 });
    }
    writeFileSync(join(dir, 'text.ko.gz'), gzipSync('text that is no BTF'));
    expect((await run('dump', join(dir, 'text.ko.gz'))).stderr).toContain('is neither BTF nor an ELF file');
  });

  test('an error in a config file is reported with its place', async () => {
    const config = join(dir, 'config.yaml');
    writeFileSync(config, 'contexts:\n  web1:\n    adress: x:1\n');
    const ran = await btfctl(['list', '--config', config]);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toBe(
      `btfctl: ${config}: unknown key contexts.web1.adress\nhint: known keys: address, tls\n`,
    );
  });

  test.each([
    ['find', '['],
    ['list', '['],
    ['watch', '['],
    ['layout', '['],
    ['dump', 'vmlinux', '--type', '['],
    ['header', 'vmlinux', '--type', '['],
    ['diff', 'a.btf', 'b.btf', '--type', '['],
  ])('%s reports an invalid glob before it makes a request: %s %s %s', async (...args) => {
    const message = 'btfctl: invalid glob "[": the "[" at 1 has no "]"\n';
    const hint = `hint: \`btfctl ${args[0]} --help\` lists its arguments and options\n`;
    expect(await run(...args)).toEqual({ status: 2, stdout: '', stderr: message + hint });
  });

  test.each(['', 'task_struct..mm', 'task_struct.', 'a[x]'])(
    'member rejects the invalid path %j before it makes a request',
    async (path) => {
      const ran = await run('member', 'list_head.next', path);
      expect(ran).toMatchObject({ status: 2, stdout: '' });
      expect(ran.stderr).toMatch(
        /^btfctl: invalid path ".*": expected .* at character \d+\nhint: `btfctl member --help` /,
      );
    },
  );
});
