import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { COMMAND_FORMATS, commandName } from '../grammar/command-formats.js';
import { COMPLETE } from '../grammar/completion.js';
import { Output } from '../output/output.js';
import { makeProgram } from '../program.js';
import { type CliRun, runCli } from '../testing/run-cli.js';
import { writeSmallKernel } from '../testing/small-kernel.js';
import { operandKinds, valueKind } from './completes.js';
import { optionsOf, takesValue } from './typed-line.js';

const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
/** Runs the hidden command. It waits as long as it takes, because the machine may be busy. */
async function run(args: readonly string[]): Promise<CliRun> {
  return runCli([COMPLETE, ...args], { BTFCTL_COMPLETION_TIMEOUT: '5m' });
}

const PROGRAM = makeProgram(
  { io: { stdout: sink, stderr: sink, env: {} }, interrupted: new AbortController().signal, ended: () => {} },
  new Output(sink, { pager: null, env: {} }),
);

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'btfctl-complete-'));
  mkdirSync(join(dir, 'kernel'));
  writeSmallKernel(join(dir, 'kernel'), { modules: { mod_a: 'mod_a_state' } });
  const contexts =
    '{ web1: { address: "web1:1" }, web2: { address: "web2:1" }, "bad name": { address: "x:1" } }';
  writeFileSync(join(dir, 'config.yaml'), `contexts: ${contexts}\n`);
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Completes a line for fish. The word after the last space is that at the cursor. Returns the lines of the answer. */
async function complete(line: string): Promise<string[]> {
  const words = line.replaceAll('DIR', dir).split(' ');
  const { stdout, stderr, status } = await run(['fish', words.at(-1) ?? '', ...words.slice(0, -1)]);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').slice(0, -1);
}

/** Returns the words that are offered. */
async function offered(line: string): Promise<string[]> {
  const [kind, ...words] = await complete(line);
  expect(kind).toBe('words');
  return words.map((word) => word.split('\t')[0] ?? '');
}

describe('words of the grammar:', () => {
  test.each([
    ['lay', ['layout']],
    ['sh', ['show']],
    ['context u', ['use']],
    ['fleet ', ['kernels', 'compat', 'member', 'find', 'diff', 'watch', 'register']],
    ['nosuch ', []],
    ['context use web1 x', []],
    ['-q --address unix:/x lis', ['list']],
    ['list --or', ['--origin']],
    ['list --origin ', ['vmlinux', 'module', 'kernel-other', 'user']],
    ['list --origin=k', ['--origin=kernel-other']],
    ['--output ', ['table', 'wide', 'json', 'yaml', 'name', 'markdown']],
    ['header -o ', ['table', 'wide']],
    ['list -om', []],
    ['list -oj', ['-ojson']],
    ['list -qoj', ['-qojson']],
    ['compat x.o -o m', ['markdown']],
    ['-o yaml --color a', ['auto', 'always']],
    ['find --kind str', ['struct']],
    ['compat --loader ', ['libbpf', 'cilium']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['completion zsh ', []],
    ['dump vmlinux format ', ['raw', 'c', 'json', 'layout', 'btf']],
    ['dump vmlinux --format ', ['raw', 'c', 'json', 'layout', 'btf']],
    ['dump vmlinux format c ', ['unsorted', 'root_id']],
    ['dump vmlinux root_id 7 ', ['format', 'root_id']],
    ['dump vmlinux root_id ', []],
    ['dump vmlinux form', ['format']],
    ['header id ', []],
    ['dump prog id 7 ', ['format', 'root_id']],
    ['dump prog trace format c ', ['unsorted', 'root_id']],
    ['dump prog name format ', ['format', 'root_id']],
    ['dump map id 7 ', ['key', 'value', 'kv', 'all', 'format']],
    ['dump map counters ', ['key', 'value', 'kv', 'all', 'format']],
    ['dump map name counters k', ['key', 'kv']],
    ['dump map counters kv ', ['format']],
    ['dump map counters format c ', ['unsorted']],
    ['dump map counters all ', ['format', 'root_id']],
    ['dump map counters all root_id 4 ', ['format', 'root_id']],
    ['dump map counters all format c ', ['unsorted', 'root_id']],
    ['dump map id 0x7 ', []],
    ['dump map counters --ty', []],
    ['dump map counters kv --ro', []],
    ['dump map counters all --ty', ['--type']],
    ['dump prog 7 --ty', ['--type']],
    ['dump map --ty', ['--type']],
    ['dump map id 7 all format ', ['raw', 'c', 'json', 'layout', 'btf']],
    ['hold vmlinux ', ['--']],
    ['help con', ['context']],
    ['help context s', ['set']],
    ['help context set ', []],
    ['-a ', ['unix:']],
    ['--address=u', ['--address=unix:']],
    ['--timeout ', []],
    ['dump vmlinux --root-id ', []],
    ['info ', []],
  ])('%s', async (line, words) => {
    expect(await offered(line)).toEqual(words);
  });

  test('an option with one value, or without any, is offered once', async () => {
    expect(await offered('list --d')).toEqual(['--digest']);
    expect(await offered('list --digest --d')).toEqual([]);
    expect(await offered('list --origin user --o')).toEqual(['--output']);
    expect(await offered('list -o json --output')).toEqual([]);
    expect(await offered('-ojson list --output')).toEqual([]);
    expect(await offered('load --adapt --no-a')).toEqual([]);
    expect(await offered('dump vmlinux --type x --t')).toEqual(
      expect.arrayContaining(['--type', '--timeout', '--tls-ca']),
    );
    expect(await offered('compat --modules a --mod')).toEqual(['--modules']);
  });

  test('after -- there are no options', async () => {
    expect(await offered('list -- --dig')).toEqual([]);
  });

  test('a short option is offered for the space after it', async () => {
    expect(await offered('list -o')).toEqual(['-o']);
    expect(await offered('list -')).not.toContain('-o');
  });
});

/** Returns a command and all below it. */
function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)];
}

const COMMANDS = all(PROGRAM).slice(1);

test.each(COMMANDS.map((command) => commandName(command)))(
  'all options of %s are offered, and those of every command',
  async (name) => {
    const command = COMMANDS.find((one) => commandName(one) === name);
    const long = [PROGRAM, command].flatMap((one) => one?.options.map((option) => option.long) ?? []);
    expect(new Set(await offered(`${name} --`))).toEqual(new Set([...long, '--help']));
    // A group of commands, such as `fleet`, has no formats of its own.
    if (command?.commands.length !== 0) return;
    expect(await offered(`${name} -o `)).toEqual(COMMAND_FORMATS[name]?.formats);
  },
);

test('a value that nothing completes cannot be known', () => {
  const unknown = COMMANDS.flatMap((command) =>
    optionsOf(command).filter((one) => takesValue(one) && valueKind(command, one) === 'nothing'),
  );
  expect([...new Set(unknown.map(({ flags }) => flags))].toSorted()).toEqual(UNKNOWN.toSorted());
});

test('each operand has a kind', () => {
  for (const command of COMMANDS.filter(({ registeredArguments: { length } }) => length > 0)) {
    const line = { command, options: [], operands: [], isAfterDashes: false, current: '' };
    const kinds = operandKinds({ ...line, cursor: { kind: 'operand' } });
    expect({ name: commandName(command), kinds }).not.toMatchObject({ kinds: ['nothing'] });
  }
});

/** Names that the user chooses, numbers and times, and names of other systems. */
const UNKNOWN = [
  '--attach <program=target>',
  '--concurrency <number>',
  '--connect-timeout <time>',
  '--deadline <time>',
  '--dns <name:port>',
  '--etcd <hosts>',
  '--etcd-user <name>',
  '--interval <time>',
  '--kernel-version <version>',
  '--kube-context <name>',
  '--kubernetes <namespace/service>',
  '--label <key=value>',
  '--name <name>',
  '--prefix <prefix>',
  '--program <glob>',
  '--root-id <id>',
  '--selector <key=value>',
  '--set <variable=value>',
  '--timeout <time>',
  '--tls-server-name <name>',
];

describe('files:', () => {
  test.each([
    ['check ', 'files'],
    ['load --log x', 'files'],
    ['--config ', 'files'],
    ['list --tls-ca=', 'files'],
    ['compat x.o --min-btf ', 'folders'],
    ['dump ./x', 'files'],
    ['dump ~', 'files'],
    ['dump file ', 'files'],
    ['dump file:', 'files'],
    ['layout x --in sub/', 'files'],
    ['-a unix:', 'files'],
    ['diff @unix:/', 'files'],
    ['hold vmlinux -- ', 'command'],
    ['hold vmlinux -- ls -', 'command'],
  ])('%s', async (line, kind) => {
    expect(await complete(line)).toEqual([kind]);
  });
});

describe('names:', () => {
  test.each([
    ['--config DIR/config.yaml context use ', ['web1', 'web2']],
    ['--config DIR/config.yaml --context w', ['web1', 'web2']],
    ['--config DIR/config.yaml dump @', ['@web1', '@web2']],
    ['--config DIR/config.yaml --context=web2', ['--context=web2']],
    ['--config DIR/nosuch.yaml context use ', []],
    ['layout --in DIR/kernel/vmlinux ', ['task_struct']],
    ['layout --in DIR/kernel/vmlinux "struct ta', ['struct task_struct']],
    ['layout --in DIR/kernel/mod_a --base DIR/kernel/vmlinux mod', ['mod_a_state']],
    ['find --in DIR/kernel/vmlinux --kind func ', ['do_exit', 'task_newtask']],
    ['find --in DIR/kernel/vmlinux bpf_prog', ['bpf_prog_type']],
    ['find --in DIR/kernel/vmlinux --kind func bpf_prog', []],
    ['dump DIR/kernel/vmlinux --type task_s', ['task_struct']],
    ['dump DIR/kernel/vmlinux --type=task_s', ['--type=task_struct']],
    ['header DIR/kernel/vmlinux -t task_s', ['task_struct']],
    ['member --in DIR/kernel/vmlinux task', ['task_struct.flags', 'task_struct.pid', 'task_struct.tgid']],
    ['member --in DIR/kernel/vmlinux task_struct.p', ['task_struct.pid']],
    ['layout --in DIR/config.yaml ', []],
    ['layout --in - ', []],
    ['layout --in DIR ', []],
    ['layout --in /dev/zero ', []],
    // Without a daemon only the words of the grammar are left.
    ['list ', ['id']],
    ['watch ', []],
    ['hold ', []],
  ])('%s', async (line, words) => {
    // The words of a quoted one are one word.
    const [before = line, quoted] = line.split(' "');
    if (quoted === undefined) expect(await offered(line)).toEqual(words);
    else {
      const args = before.replaceAll('DIR', dir).split(' ');
      const { stdout } = await run(['fish', `"${quoted}`, ...args]);
      expect(stdout).toBe(`words\n${words.join('\n')}\n`);
    }
  });

  test('files of the working directory that a SPEC can name without a slash', async () => {
    const before = process.cwd();
    const folder = join(dir, 'files');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    for (const name of ['a.bpf.o', 'b.txt', 'c.ko.xz', '.hidden.o', '$(id).o', 'd e.o'])
      writeFileSync(join(folder, name), '');
    process.chdir(folder);
    try {
      expect(await offered('diff ')).toEqual(['a.bpf.o', 'c.ko.xz', 'sub/']);
      expect(await offered('diff .')).toEqual(['.hidden.o']);
      expect(await offered('layout --in=a')).toEqual(['--in=a.bpf.o']);
    } finally {
      process.chdir(before);
    }
  });
});

describe('the answer', () => {
  async function answer(...args: string[]): Promise<string> {
    const { stdout, stderr, status } = await run([...args]);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    return stdout;
  }

  test('for bash continues the part of the word that bash replaces, with its quotes', async () => {
    expect(await answer('bash', 'lay', 'btfctl lay')).toBe('words\nlayout\n');
    expect(await answer('bash', 'ya', 'btfctl --output=ya')).toBe('words\nyaml\n');
    expect(await answer('bash', String.raw`lay\o`, String.raw`btfctl lay\o`)).toBe(
      `words\n${String.raw`lay\out`}\n`,
    );
    expect(await answer('bash', 'la', 'btfctl "la')).toBe('words\nlayout\n');
    expect(await answer('bash', 'un', 'btfctl -a un')).toBe('open\nunix:\n');
    expect(await answer('bash', 'x', 'btfctl list 2> x')).toBe('files\n');
  });

  test('for zsh has the length of what is not offered, and how many words go on', async () => {
    expect(await answer('zsh', 'lay')).toBe(
      'words 0 0\nlayout:draw structs and unions by cache line, with their holes\n',
    );
    expect(await answer('zsh', '--output=ya', 'list')).toBe('words 9 0\nyaml\n');
    expect(await answer('zsh', '', '-a')).toBe(`words 0 1\n${String.raw`unix\:`}\n`);
    expect(await answer('zsh', 'unix:/r', '-a')).toBe('files 5 0\n');
  });

  test('leaves out only what is typed', async () => {
    const from = ['member', '--in', join(dir, 'kernel/vmlinux')];
    const members = ['flags', 'pid', 'tgid'].map((name) => `task_struct.${name}\n`).join('');
    expect(await answer('zsh', 'task', ...from)).toBe(`words 0 0\n${members}`);
    expect(await answer('zsh', 'struct\\ task', ...from)).toBe(`words 8 0\n${members}`);
    expect(await answer('zsh', 'task_struct.', ...from)).toBe('words 12 0\nflags\npid\ntgid\n');
  });

  test('for fish has whole words', async () => {
    expect(await answer('fish', '--output=ya', 'list')).toBe('words\n--output=yaml\n');
  });

  test('is empty for another shell, or none', async () => {
    expect(await answer('ksh', 'lay')).toBe('');
    expect(await answer()).toBe('');
  });
});
