import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { DaemonProcess } from './testing/daemon-process.js';
import { packagesOfBtfd } from './testing/loaded-packages.js';
import { NotifySocket } from './testing/notify-socket.js';
import { failureOf, RawClient } from './testing/raw-client.js';
import { until } from './testing/until.js';

const BTFD = fileURLToPath(new URL('../../server/bin/btfd.js', import.meta.url));

const dir = mkdtempSync(join(tmpdir(), 'btfd-config-'));
afterAll(() => rmSync(dir, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

/** Runs a command of btfd that is not a server. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const {
    status: code,
    stdout,
    stderr,
  } = spawnSync(process.execPath, [BTFD, ...args], {
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, ...env },
  });
  return { code, stdout, stderr };
}

describe('The daemon’s settings', () => {
  // Three limits, each from another source. A request shows which one is in force.
  const tooMany = async (client: RawClient, count: number) =>
    (await failureOf(client.call('renewHandles', { tokens: Array.from({ length: count }, () => 'x') }))).code;

  test('take a flag before the environment, and the environment before the file', async () => {
    const file = write(
      'order.yaml',
      `btf-dir: ${dir}\nmax-tokens: 3\nmax-message: 128KiB\ndrain-timeout: 1s\n`,
    );
    await using daemon = await DaemonProcess.start({
      args: ['--config', file, '--max-message', '1KiB'],
      env: { BTFD_MAX_TOKENS: '5', BTFD_MAX_MESSAGE: '2KiB' },
    });
    using client = new RawClient(daemon.address);
    expect((await client.call('getServerInfo', {})).limits).toMatchObject({ maxTokens: 5 });
    expect(await tooMany(client, 6)).toBe(status.INVALID_ARGUMENT);
    expect((await client.call('renewHandles', { tokens: ['a', 'b', 'c', 'd', 'e'] })).results).toHaveLength(
      5,
    );
    const long = client.call('renewHandles', { tokens: ['x'.repeat(1024)] });
    expect((await failureOf(long)).details).toContain('accepts at most 1024');
  });

  test('set the listen addresses, from each of the three sources', async () => {
    const file = write('listen.yaml', `btf-dir: ${dir}\nlisten: [unix:${dir}/file.sock]\n`);
    const served = async (options: { args?: string[]; env?: Record<string, string> }, socket: string) => {
      await using daemon = await DaemonProcess.start({
        listen: false,
        args: ['--config', file, ...(options.args ?? [])],
        env: options.env ?? {},
      });
      using client = new RawClient(`unix:${join(dir, socket)}`);
      expect((await client.call('getServerInfo', {})).version).not.toBe('');
      expect(await daemon.end()).toBe(0);
    };
    await served({}, 'file.sock');
    await served({ env: { BTFD_LISTEN: `unix:${dir}/env.sock` } }, 'env.sock');
    await served(
      { args: ['--listen', `unix:${dir}/flag.sock`], env: { BTFD_LISTEN: 'unix:/x' } },
      'flag.sock',
    );
  });

  test('stop the start with status 2 if invalid, and each error names its source', () => {
    const file = write('wrong.yaml', '# a comment\nmax-tll: 30m\nmax-ttl: forever\n');
    const { code, stdout, stderr } = run(['--config', file, '--max-tokens', 'many'], {
      BTFD_LOG_LEVEL: 'loud',
    });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd().split('\n')).toEqual([
      `error: ${file}:2: unknown key "max-tll"; did you mean max-ttl?`,
      expect.stringMatching(/^error: .*wrong\.yaml:3: max-ttl: "forever" is not a time/),
      expect.stringMatching(/^error: BTFD_LOG_LEVEL: "loud" is not one of/),
      expect.stringMatching(/^error: --max-tokens: "many" is not a whole number/),
    ]);
  });
});

describe('A process that may open few files', () => {
  test('serves, and logs how many its limits need', async () => {
    const wrapper = ['sh', '-c', 'ulimit -n 1000 && exec "$@"', 'sh'];
    await using daemon = await DaemonProcess.start({ wrapper, args: ['--btf-dir', dir] });
    expect(daemon.log.text).toContain('the process may open 1000 files, but max-handles 16384,');
  });
});

describe('btfd config check', () => {
  test('prints every setting in force with its source, and starts nothing', () => {
    const file = write('check.yaml', 'max-ttl: 30m\n');
    const { code, stdout, stderr } = run(['config', 'check', '--config', file, '--max-tokens', '7'], {
      BTFD_DRAIN_TIMEOUT: '5s',
    });
    expect([code, stderr]).toEqual([0, '']);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual(
      expect.arrayContaining([
        ['max-ttl', '30m', `${file}:1`],
        ['max-tokens', '7', '--max-tokens'],
        ['drain-timeout', '5s', 'BTFD_DRAIN_TIMEOUT'],
        ['keepalive', '20s', 'default'],
      ]),
    );
  });

  test('exits with 2 if the daemon would not start', () => {
    const { code, stdout, stderr } = run(['config', 'check', '--min-ttl', '2h']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('min-ttl 2h (--min-ttl) is more than default-ttl 1m (default)');
  });
});

describe('A command that starts no daemon', () => {
  const file = write('loaded.yaml', 'max-ttl: 30m\n');

  test.each<[string, string[], string[]]>([
    ['--version', ['--version'], []],
    ['--help', ['--help'], ['commander']],
    ['config check', ['config', 'check', '--config', '/dev/null'], ['commander']],
    ['config check with a file', ['config', 'check', '--config', file], ['commander', '@btfd/btf', 'yaml']],
  ])('%s loads only what it needs', async (_, args, expected) => {
    const { status: code, packages } = await packagesOfBtfd(args);
    expect(code).toBe(0);
    expect(packages).toEqual(new Set(['@btfd/server', ...expected]));
  });
});

describe('At SIGHUP the daemon', () => {
  test('reads its settings again, applies the log level, and names settings that need a restart', async () => {
    const file = write('reload.yaml', `btf-dir: ${dir}\nlog-level: warn\n`);
    const settings = ['--config', file, '--log-level', 'info'];
    await using daemon = await DaemonProcess.start({ args: settings });
    const logged = (text: string) => until(text, () => daemon.log.text.includes(text));

    write('reload.yaml', `btf-dir: ${dir}\nmax-ttl: nonsense\n`);
    daemon.signal('SIGHUP');
    await logged('settings not read again');
    expect(daemon.log.text).toContain(`${file}:2: max-ttl: \\"nonsense\\" is not a time`);

    write('reload.yaml', `btf-dir: ${dir}\nmax-ttl: 2h\n`);
    daemon.signal('SIGHUP');
    await logged('changed settings that need a restart');
    expect(daemon.log.text).toContain('"max-ttl"');
    await logged('settings read again');
    using client = new RawClient(daemon.address);
    expect((await client.call('getServerInfo', {})).version).not.toBe('');
    expect(await daemon.end()).toBe(0);
  });

  test('continues if its folder is gone and the settings name another', async () => {
    const gone = join(dir, 'gone');
    mkdirSync(gone);
    const file = write('folder.yaml', `btf-dir: ${gone}\n`);
    await using daemon = await DaemonProcess.start({ args: ['--config', file] });
    rmdirSync(gone);
    write('folder.yaml', `btf-dir: ${dir}\n`);
    daemon.signal('SIGHUP');
    await until('the change is logged', () => daemon.log.text.includes('"settings":["btf-dir"]'));
    expect(await daemon.end()).toBe(0);
  });

  test('reads the policy again at once, before the next poll', async () => {
    const policy = write('policy.yaml', '{}\n');
    const args = ['--btf-dir', dir, '--policy', policy, '--reload-interval', '24h'];
    await using daemon = await DaemonProcess.start({ args });
    write('policy.yaml', 'nonsense: 1\n');
    daemon.signal('SIGHUP');
    await until('the policy is refused', () => daemon.log.text.includes(`${policy}:1`));
    expect(await daemon.end()).toBe(0);
  });

  test('logs from the level that the file now has', async () => {
    const file = write('level.yaml', `btf-dir: ${dir}\n`);
    using notify = await NotifySocket.open(join(dir, 'notify.sock'));
    const env = { NOTIFY_SOCKET: notify.address };
    await using daemon = await DaemonProcess.start({ args: ['--config', file], env });
    write('level.yaml', `btf-dir: ${dir}\nlog-level: silent\n`);
    daemon.signal('SIGHUP');
    await until('the settings are read', () => notify.states().length === 3);
    const before = daemon.log.text;
    expect(await daemon.end()).toBe(0);
    expect(daemon.log.text).toBe(before);
  });
});
