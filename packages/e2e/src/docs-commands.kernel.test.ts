import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Tool, has, needs } from 'test-tools';
import { BTFCTL } from './testing/btfctl.js';
import { compileC } from './testing/compile-c.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { rawBtf } from './testing/sample-btf.js';
import { shownCommands } from './testing/shown-commands.js';
import { until } from './testing/until.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BTFD = fileURLToPath(new URL('../../server/bin/btfd.js', import.meta.url));
/** The tools that {@link compileC} needs. */
const COMPILERS = ['gcc', 'pahole', 'objcopy'] as const;
const SOURCES = fileURLToPath(new URL('../testdata/btf', import.meta.url));
/** Two structs of one name. */
const TWICE = fileURLToPath(new URL('../../btf/src/query/testdata/dupts.btf', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
/** Files that scripts fetch: the BTF of Debian's Linux 6.1, and a program with a BPF object. */
const FETCHED = [
  ['vmlinux-6.1.btf', join(ROOT, '.cache/kernels', kernelFolder('6.1.'), 'vmlinux')],
  ['runqlat', join(ROOT, '.cache/objects/libbpf-tools/runqlat')],
  ['deployed/runqlat', join(ROOT, '.cache/objects/libbpf-tools/runqlat')],
] as const;
/** The address in the documents. The daemon of a test listens elsewhere. */
const ADDRESS = '/run/btfd/btfd.sock';

const SHOWN = [
  'README.md',
  'docs/btfctl.md',
  'docs/compat.md',
  'docs/fleet.md',
  'docs/guide.md',
  'docs/grpc-tools.md',
  'docs/operations.md',
].flatMap((document) =>
  shownCommands(readFileSync(join(ROOT, document), 'utf8')).map(({ command, output }) => ({
    document,
    command,
    output,
  })),
);

test('a command in a document may continue on the next line', () => {
  const block = '```\n$ one \\\n  more\nprinted\n$ two\n```\n';
  expect(shownCommands(`${block}\n\`\`\`sh\n$ three\n\`\`\`\n`)).toEqual([
    { command: 'one \\\n  more', output: 'printed\n' },
    { command: 'two', output: '' },
  ]);
});

needs('bpf').describe('the commands in the documents', () => {
  let daemon: DaemonProcess;
  let dir: string;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    dir = mkdtempSync(join(tmpdir(), 'docs-commands-'));
    mkdirSync(join(dir, 'bin'));
    const program = (name: string, command: string): void =>
      writeFileSync(join(dir, 'bin', name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
    program('btfctl', `'${process.execPath}' '${BTFCTL}'`);
    program('btfd', `'${process.execPath}' '${BTFD}'`);
    writeFileSync(join(dir, 'nodes.txt'), `web1 ${daemon.address}\n`);
    writeFileSync(join(dir, 'config.yaml'), 'listen:\n  - unix:/run/btfd/btfd.sock\nmax-tll: 30m\n');
    // Debian's Python, which has Debian's grpcio.
    program('python3', '/usr/bin/python3');
    for (const name of ['examples', 'proto']) symlinkSync(join(ROOT, name), join(dir, name));
    copyFileSync(join(SOURCES, 'program.bpf.o'), join(dir, 'program.bpf.o'));
    copyFileSync(TWICE, join(dir, 'twice.btf'));
    copyFileSync(join(ROOT, 'examples/bpf/agent.bpf.o'), join(dir, 'agent.bpf.o'));
    mkdirSync(join(dir, 'deployed'));
    copyFileSync(join(ROOT, 'examples/bpf/agent.bpf.o'), join(dir, 'deployed/agent.bpf.o'));
    for (const [name, target] of FETCHED) if (existsSync(target)) symlinkSync(target, join(dir, name));
    for (const name of COMPILERS.every(has) ? ['before', 'after'] : []) {
      compileC(readFileSync(join(SOURCES, `${name}.c`), 'utf8'), join(dir, `${name}.o`));
    }
    // An int, and a type of an unknown kind.
    const words = [1, 1 << 24, 4, 32, 1, 0, 4, 32];
    writeFileSync(join(dir, 'bad.btf'), rawBtf(words, '\0bad\0'));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true });
    await daemon[Symbol.asyncDispose]();
  });

  test('are found', () => {
    expect(new Set(SHOWN.map(({ document }) => document)).size).toBeGreaterThan(2);
    expect(SHOWN.filter(({ command }) => command.includes('btfctl ')).length).toBeGreaterThan(5);
    expect(SHOWN.some(({ command }) => command.includes('python3 '))).toBe(true);
  });

  for (const { document, command, output } of SHOWN) {
    const title = `${document} shows what \`${command}\` prints, except for what differs between kernels`;
    needs(...toolsOf(command)).test(title, () => {
      // Problems are reported on standard error.
      const redirection = /^(?:btfd|btfctl member) /.test(command) ? '2>&1' : '';
      // The exit status of buf is eight times the code of gRPC: 40 for NOT_FOUND.
      const script = `{ ${command.replaceAll(ADDRESS, daemon.socket)}\n} ${redirection} || case $? in [0-58]|40) ;; *) exit 1 ;; esac`;
      const printed = execFileSync('sh', ['-c', script], {
        cwd: dir,
        encoding: 'utf8',
        timeout: 120_000,
        env: {
          ...process.env,
          PATH: [join(dir, 'bin'), join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(':'),
          BTFD_ADDRESS: daemon.address,
          BTFD_CONFIG: join(dir, 'config.yaml'),
        },
      }).replaceAll(join(dir, 'config.yaml'), '/etc/btfd/config.yaml');
      // The document does not list objects that other programs of this machine loaded.
      const shown = (text: string): string[] =>
        general(text.trimEnd()).slice(0, command.includes(' list ') ? 1 : undefined);
      const users = / ORIGIN_USER | ORIGIN_MODULE /;
      expect(shown(printed).filter((line) => !users.test(line))).toEqual(shown(output));
    });
  }

  test('README.md shows what the first command prints', async () => {
    const [shown = ''] = /^btfd \d[^]*?(?=^```)/m.exec(README) ?? [];
    const socket = join(dir, 'show.sock');
    const args = [BTFD, '--show', '--metrics-listen', 'off'];
    const btfd = spawn(process.execPath, [...args, '--listen', `unix:${socket}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      let printed = '';
      btfd.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
      await until('it suggests a next command', () => /try next: .*\n/.test(printed));
      const same = (text: string): string[] =>
        general(text.replaceAll(socket, ADDRESS).replace(/ on Linux \S+ \S+:/, ' on Linux:')).filter(
          // Objects that other programs of this machine loaded.
          (line) => !/ (?:user|module) # #$|^… and # more$/.test(line),
        );
      expect(same(printed)).toEqual(same(shown));
    } finally {
      btfd.kill();
    }
  });
});

/** Returns the tools that a command needs, and those that make the files it reads. */
function toolsOf(command: string): readonly Tool[] {
  if (command.includes('python3 ')) return [...toolsOf('generate.sh'), 'python3-grpcio', 'python3-protobuf'];
  if (command.includes('generate.sh')) return ['protoc', 'libprotobuf-dev', 'grpc_python_plugin'];
  if (command.includes('bpftool ')) return ['bpftool'];
  if (command.includes('compat deployed')) return ['debian-kernels', 'debian-objects'];
  if (command.includes('vmlinux-6.1.btf')) return ['debian-kernels'];
  if (command.includes('runqlat')) return ['debian-objects'];
  return command.includes('after.o') ? COMPILERS : [];
}

/** Returns the name of the folder of a kernel that was fetched; empty if there is none. */
function kernelFolder(series: string): string {
  const folder = join(ROOT, '.cache/kernels');
  if (!existsSync(folder)) return '';
  return readdirSync(folder).find((name) => name.startsWith(series)) ?? '';
}

/** Returns lines without numbers, digests, the release of the kernel, the spaces that depend on them, and those at the ends. */
function general(text: string): string[] {
  return text
    .replaceAll(/"[\w+/]{43}="/g, '"="')
    .replaceAll(/\bLinux \S+ (?:x86_64|aarch64)/g, 'Linux')
    .replaceAll(/^[\da-f]{8} +\S+ +(?:x86_64|aarch64)/gm, 'BUILD')
    .replaceAll(/\d[\d,]*/g, '#')
    .replaceAll(/ +/g, ' ')
    .split('\n')
    .map((line) => line.trim());
}
