import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { adviceIn, isPrinted } from './testing/advice.js';
import { btfctl, type Ran } from './testing/btfctl.js';
import { BtfctlDaemon } from './testing/btfctl-daemon.js';
import { hintedCommand } from './testing/hint.js';
import { intBtf, rawBtf } from './testing/sample-btf.js';

/** Folders and files that declare options, start btfctl, or print scripts for shells. The commands of `fleet` have fleet-hints.test.ts. */
const LEFT =
  /^(?:grammar\/(?!command-formats)|completion\/|testing\/|start\/|fleet\/|command\/fleet|output\/dump-text|source\/decompress)/;

/** Follow is a hint, what prints it, and what works if a user follows it. */
interface Follow {
  /** The text in the sources. */
  readonly text: string;
  /** The arguments that print it. `DIR` is the folder of the files. */
  readonly wrong: string;
  /**
   * The arguments that follow the hint, and succeed. If it is not given, the command in the hint itself runs, with these words in place
   * of its placeholders.
   */
  readonly right?: string;
  readonly words?: Readonly<Record<string, string>>;
}

const FOLLOWED: readonly Follow[] = [
  { text: 'hint: `btfctl --help` lists the commands and options', wrong: 'nosuch' },
  { text: '`btfctl … --help` lists its …', wrong: 'context nosuch' },
  { text: '`btfctl … --help` lists its …', wrong: 'dump' },
  {
    text: 'put -- before the command and its options: `btfctl hold OBJECT -- COMMAND`',
    wrong: 'hold vmlinux sh -c true',
    words: { OBJECT: 'vmlinux', COMMAND: 'true' },
  },
  { text: '`btfctl list` lists all objects', wrong: 'list nosuch' },
  { text: '`btfctl list` lists the objects', wrong: 'hold nosuch -- true' },
  {
    text: 'a glob matches more names: `btfctl find "*NAME*"`',
    wrong: 'find nosuchtype',
    words: { NAME: 'task_str' },
  },
  {
    text: 'a glob matches more names: `btfctl find "*NAME*"`',
    wrong: 'find --contains nosuchtype',
    words: { NAME: 'task_str' },
  },
  {
    text: '`btfctl find "*NAME*" --in SPEC` searches for a part of a name',
    wrong: 'find --points-to nosuchtype --in DIR/good.btf',
    words: { NAME: 'umber', SPEC: 'DIR/good.btf' },
  },
  {
    text: '`btfctl find "*NAME*" --in SPEC` searches for a part of a name',
    wrong: 'dump DIR/good.btf -t umber',
    words: { NAME: 'umber', SPEC: 'DIR/good.btf' },
  },
  {
    text: '`btfctl context list` lists the contexts',
    wrong: 'context use nosuch --config DIR/two.yaml',
    right: 'context list --config DIR/two.yaml',
  },
  {
    text: '; `btfctl context use NAME` chooses one',
    wrong: 'list --config DIR/gone.yaml',
    right: 'context use other --config DIR/gone-too.yaml',
  },
  {
    text: 'there is no current context now: `btfctl context use NAME` chooses one',
    wrong: 'context remove web1 --config DIR/two.yaml',
    right: 'context use other --config DIR/two.yaml',
  },
  {
    text: '`btfctl context set NAME --address ADDRESS` creates one',
    wrong: 'list --context web1 --config DIR/none.yaml',
    right: 'context set web1 --address ADDRESS --config DIR/new.yaml',
  },
  {
    text: '`btfctl --config … context set NAME --address ADDRESS` creates it',
    wrong: 'list --config DIR/new2.yaml',
    words: { NAME: 'web1', ADDRESS: 'ADDRESS' },
  },
  {
    text: 'use `btfctl context set … --address ADDRESS`',
    wrong: 'context set web1 --config DIR/new3.yaml',
    right: 'context set web1 --address ADDRESS --config DIR/new3.yaml',
  },
  {
    text: 'no contexts in …: `btfctl context set NAME --address ADDRESS` adds one',
    wrong: 'context list --config DIR/none.yaml',
    right: 'context set web1 --address ADDRESS --config DIR/new4.yaml',
  },
  {
    text: '`btfctl dump … --base vmlinux` shows its types',
    wrong: 'check DIR/split.btf',
  },
  {
    text: 'a glob matches more types: --type "*NAME*"',
    wrong: 'diff DIR/good.btf DIR/good.btf --type umber',
    right: 'diff DIR/good.btf DIR/good.btf --type *umber*',
  },
  {
    text: '--type … is a type id, but diff matches types by name',
    wrong: 'diff DIR/good.btf DIR/good.btf --type 1',
    right: 'diff DIR/good.btf DIR/good.btf --type number',
  },
  {
    text: 'too many --base options: use one for A and one for B',
    wrong: 'diff DIR/good.btf DIR/good.btf --base vmlinux --base vmlinux --base vmlinux',
    right: 'diff DIR/good.btf DIR/good.btf --base vmlinux --base vmlinux',
  },
  {
    text: '--closure needs --type',
    wrong: 'dump DIR/good.btf --closure',
    right: 'dump DIR/good.btf --closure --type number',
  },
  {
    text: 'find needs a name, or one of --contains, --points-to, --takes, --returns, --sizes, --packable',
    wrong: 'find --in DIR/good.btf',
    right: 'find --sizes --in vmlinux',
  },
  {
    text: 'leave out --kind, or use --kind …',
    wrong: 'find --packable --kind func --in vmlinux',
    right: 'find --packable --kind struct --in vmlinux',
  },
  {
    text: '--nested needs --contains or --points-to',
    wrong: 'find list_head --nested',
    right: 'find --contains list_head --nested',
  },
  {
    text: 'use only one of --type and --root-id',
    wrong: 'dump DIR/good.btf --type number --root-id 1',
    right: 'dump DIR/good.btf --root-id 1',
  },
  {
    text: '-o … contradicts the format …: use only one of them',
    wrong: 'dump DIR/good.btf format c -o json',
    right: 'dump DIR/good.btf -o json',
  },
  {
    text: 'name its base with --base: vmlinux for the kernel of the daemon, or the path of a file',
    wrong: 'dump DIR/split.btf',
    right: 'dump DIR/split.btf --base vmlinux',
  },
  {
    text: 'only modules of one kernel can be merged; name the base of files with --base',
    wrong: 'header DIR/good.btf DIR/other.btf',
    right: 'header DIR/split.btf DIR/split.btf --base vmlinux',
  },
  {
    text: '--address and --context name two daemons: use only one of them',
    wrong: 'list --address ADDRESS --context web1',
    right: 'list --address ADDRESS',
  },
  {
    text: '… is a Unix socket, which has no TLS: leave out the --tls options',
    wrong: 'list --address ADDRESS --tls-ca DIR/ca.pem',
    right: 'list --address ADDRESS',
  },
  {
    text: 'check that btfd is running there, or name another daemon with --address, BTFD_ADDRESS or a context',
    wrong: 'list --address unix:DIR/nosuch.sock',
    right: 'list --address ADDRESS',
  },
  {
    text: '--kernel-version is for kernels in files: a daemon knows the version of its kernel',
    wrong: 'compat AGENT --kernel-version 6.1 --risk allow',
    right: 'compat AGENT --risk allow',
  },
  {
    text: 'there are … --kernel-version, but … in files',
    wrong: 'compat AGENT --on /sys/kernel/btf --kernel-version 6.1 --kernel-version 6.2 --risk allow',
    right: 'compat AGENT --on /sys/kernel/btf --kernel-version 6.1 --risk allow',
  },
  {
    text: 'use a folder with vmlinux and its modules, or --modules none',
    wrong: 'compat AGENT --on /sys/kernel/btf/vmlinux --modules xfs --risk allow',
    right: 'compat AGENT --on /sys/kernel/btf/vmlinux --modules none --risk allow',
  },
  {
    text: 'name the bytes with --data FILE',
    wrong: 'value number --in -',
    right: 'value 1 --in DIR/good.btf --data DIR/bytes',
  },
];

/** The texts that another test follows, or that are a part of another, by the test. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'cli/src/command/compat.test.ts': [
    '…: the loader loads none of its programs by default; choose some with --program',
    '…: the result may depend on the version of the kernel, which is not known for …: give it with --kernel-version',
    '--attach …=TARGET; if it does not load them, choose others with --program',
    '--attach',
    '--attach PROGRAM=TARGET, such as --attach on_read=xfs:xfs_file_read_iter',
    '--set',
    '--set VARIABLE=VALUE, such as --set targ_pid=42',
    '--set …=…: … is …, …',
    'so its value must be … bytes, such as --set …=hex:…',
  ],
  'cli/src/command/compat-daemons.test.ts': [
    '…--on … takes the kernel of this machine without a daemon',
    'check here with the BTF of its kernel: `btfctl dump vmlinux format btf > kernel.btf`, then --on ./kernel.btf',
    'for the file or folder, use --on ./…',
  ],
  'e2e/src/btfctl-tls.test.ts': [
    'a certificate needs its key: give --tls-cert and --tls-key together',
    'its certificate is for another name: give that name with --tls-server-name',
    'its certificate is not from an authority that you trust: name that authority with --tls-ca',
    'it may require TLS: name the authority of its certificate with --tls-ca',
    'it does not use TLS there: leave out the --tls options',
    'present a certificate that the daemon accepts, with --tls-cert and --tls-key or in a context of the config file',
  ],
  'e2e/src/btfctl-hold.kernel.test.ts': [
    'the daemon may have been restarted, or the connection lost: `btfctl info` shows whether it runs',
  ],
  'e2e/src/btfctl.kernel.test.ts': [
    'hint: `btfctl find … --in …` lists all of them',
    '`btfctl info` shows what the daemon can do, and why not the rest',
    'took longer than --timeout allows',
    'allow more time with --timeout, such as --timeout 1m',
  ],
  'e2e/src/btfctl-bpf.kernel.test.ts': [
    '--type and --root-id choose among all types of a map',
    '`btfctl list -o wide` lists the programs and maps that have BTF',
    'name one by its id: `btfctl dump … id ID`',
    'print all types of its BTF: `btfctl dump map id … all`',
    'print the BTF of one …: `btfctl dump … id ID`',
    'use them with `all`: `btfctl dump map … all`',
  ],
  'e2e/src/btfctl-local.test.ts': [
    'start btfd, or name another daemon with --address',
    'start btfd, or use a name: `btfctl list` lists the objects',
    '`btfctl list` lists the objects; to name a file, use a path with a slash',
  ],
  'e2e/src/modes.kernel.test.ts': ['use a name: `btfctl list` lists the objects; …'],
  'e2e/src/btfctl-files.test.ts': [
    'a module belongs to one build of the kernel: name the BTF of that build with --base',
  ],
  'cli/src/config/target.test.ts': ['--context'],
  'cli/src/program.test.ts': [
    '-h, --help',
    '-V, --version',
    '-o …',
    'error: … does not support -o …: use …',
    '\n-o takes ….\n`btfctl --help` lists the options that every command takes.',
  ],
  'cli/src/output/hostile-names.test.ts': ['error: -0 is for names: use -0 with -o name'],
  'e2e/src/btfctl-value.kernel.test.ts': ['use the BTF of the loaded program: --in id:ID'],
  'e2e/src/btfctl-words.test.ts': [
    'the BTF is …-endian, which the kernel is not: compile it with clang -target …',
  ],
  'e2e/src/btfctl-terminal.kernel.test.ts': ['(… lines before these: --log prints them)'],
  'e2e/src/bpf-token.kernel.test.ts': ['(btfd --bpf-token, Linux 6.9); …'],
  'e2e/src/roles.kernel.test.ts': [
    '`btfctl info` shows your name and your role',
    'btfd assigns roles with --viewer, --inspector and --loader, such as --loader uid:1000, or in its policy file; ',
  ],
  'e2e/src/btfctl-dump.kernel.test.ts': ['choose fewer types with --type', 'name its base with --base'],
};

const BTFD = fileURLToPath(new URL('../../server/bin/btfd.js', import.meta.url));
const AGENT = fileURLToPath(new URL('../../cli/src/compat/testdata/agent.bpf.o', import.meta.url));

needs('bpf').describe('each hint of btfctl leads there:', () => {
  let daemon: BtfctlDaemon;

  const args = (line: string): string[] =>
    line
      .split(' ')
      .map((word) =>
        word.replace('DIR', daemon.dir).replace('ADDRESS', daemon.process.address).replace('AGENT', AGENT),
      );
  /** Without an address, if the arguments choose a daemon themselves. */
  const run = async (words: readonly string[]): Promise<Ran> => {
    const chooses = words.some((word) => ['--config', '--context'].includes(word));
    return btfctl(words, chooses ? {} : daemon.env);
  };

  beforeAll(async () => {
    daemon = await BtfctlDaemon.start();
    const { address } = daemon.process;
    const context = (name: string): string => `  ${name}:\n    address: ${address}\n`;
    const files = {
      'two.yaml': `current-context: web1\ncontexts:\n${context('web1')}${context('other')}`,
      'gone.yaml': `current-context: web1\ncontexts:\n${context('other')}`,
      'gone-too.yaml': `current-context: web1\ncontexts:\n${context('other')}`,
      'none.yaml': 'contexts: {}\n',
      'other.btf': intBtf(2, 'other'),
      // An `int`, whose name is the first of the base.
      'split.btf': rawBtf([1, 1 << 24, 4, 32], 'x\0'),
      bytes: new Uint8Array(4),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(daemon.dir, name), text);
  });
  afterAll(async () => daemon[Symbol.asyncDispose]());

  test.each(FOLLOWED)('$text', async ({ text, wrong, right, words = {} }) => {
    const failed = await run(args(wrong));
    expect({ text, stderr: failed.stderr, printed: isPrinted(text, failed.stderr) }).toMatchObject({
      printed: true,
    });
    const values = Object.fromEntries(
      Object.entries(words).map(([name, word]) => [name, args(word).join(' ')]),
    );
    const followed = await run(right === undefined ? hintedCommand(failed, values) : args(right));
    expect(followed).toMatchObject({ status: 0 });
  });
});

describe('the hints of btfctl', () => {
  test('are all followed by a test', () => {
    const known = [...FOLLOWED.map(({ text }) => text), ...Object.values(ELSEWHERE).flat()];
    expect(adviceIn('cli', LEFT)).toEqual([...new Set(known)].toSorted());
  });
});

/** The arguments that print a hint of btfd, and those that follow it. */
const FOLLOWED_BY_BTFD: readonly Pick<Follow, 'text' | 'wrong' | 'right'>[] = [
  { text: 'error: unknown command …: `btfd serve` starts the daemon', wrong: 'start', right: 'serve --help' },
  { text: 'hint: `btfd --help` lists the commands and settings', wrong: '--nosuch', right: '--help' },
  {
    text: '… has no TLS: any local user could connect; allow it with --insecure',
    wrong: '--listen 127.0.0.1:0 --btf-dir DIR',
    right: 'config check --listen 127.0.0.1:0 --btf-dir DIR --insecure',
  },
  {
    text: 'use HOST:PORT, or off',
    wrong: '--metrics-listen unix:/tmp/x',
    right: 'config check --metrics-listen off',
  },
  {
    text: 'use unix:PATH or HOST:PORT',
    wrong: '--listen nosuch',
    right: 'config check --listen unix:/tmp/x',
  },
];

/** The texts that another test follows, or that give no advice. */
const BTFD_ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'server/src/program/command-line.test.ts': [
    '--config <file>',
    '--no-…',
    '--show',
    '--version',
    '-V, --version',
    '-h, --help',
  ],
  'e2e/src/docs-commands.kernel.test.ts': [
    ' --tls-ca CA.crt --tls-cert CLIENT.crt --tls-key CLIENT.key',
    'npx --yes pnpm@12 btfctl',
    'try next: … … --address ……',
  ],
  'server/src/rpc': ['-bin', '; the BTF is …-endian, but the kernel is …-endian'],
  'e2e/src/operator-files.test.ts': [
    'chown --no-dereference',
    'the … … is writable by …, with mode …: chmod …-w …',
  ],
  'e2e/src/out-of-files.kernel.test.ts': [
    'max-calls … need …: raise LimitNOFILE of the unit or the hard limit of `ulimit -n`, or lower them',
  ],
  'no advice, but a flag of V8': ['--no-allocation-site-pretenuring'],
};

describe('each hint of btfd leads there:', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-hints-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  const btfd = (line: string): { readonly status: number | null; readonly stderr: string } =>
    spawnSync(process.execPath, [BTFD, ...line.replace('DIR', dir).split(' ')], {
      encoding: 'utf8',
      timeout: 60_000,
    });

  test.each(FOLLOWED_BY_BTFD)('$text', ({ text, wrong, right = '' }) => {
    const failed = btfd(wrong);
    expect(failed.status).not.toBe(0);
    expect({ stderr: failed.stderr, isPrinted: isPrinted(text, failed.stderr) }).toMatchObject({
      isPrinted: true,
    });
    expect(btfd(right)).toMatchObject({ status: 0 });
  });

  test('off and none turn metrics off', () => {
    for (const word of ['off', 'none']) expect(btfd(`config check --metrics-listen ${word}`).status).toBe(0);
  });

  test('all are followed by a test', () => {
    const known = [...FOLLOWED_BY_BTFD.map(({ text }) => text), ...Object.values(BTFD_ELSEWHERE).flat()];
    const left = /^(?:testing\/|program\/traces)/;
    const texts = adviceIn('server', left).filter((text) => !text.startsWith('\n'));
    expect(known).toEqual(expect.arrayContaining(texts));
  });
});
