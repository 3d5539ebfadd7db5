import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, jest, test } from '@jest/globals';
import { parseCommandLine, type Settings } from './command-line.js';
import { TempDir } from './testing/temp-dir.js';
import { VERSION } from './version.js';

const BIN = fileURLToPath(new URL('../bin/btfd.js', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program, which must end by itself. */
async function run(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

describe('Arguments', () => {
  const defaults: Settings = {
    listen: [{ kind: 'unix', path: '/run/btfd/btfd.sock' }],
    insecure: false,
    btfDir: null,
    show: false,
    logLevel: 'info',
    tls: null,
    policy: { file: null, viewers: [], inspectors: [], loaders: [] },
    socketGroup: null,
  };
  const unix = (path: string) => ({ kind: 'unix' as const, path });

  test.each<[string[], Partial<Settings>]>([
    [[], {}],
    [['--show'], { show: true }],
    [['--log-level', 'debug'], { logLevel: 'debug' }],
    [['--listen', 'unix:/a'], { listen: [unix('/a')] }],
    [['--listen=unix:/a', '--listen', 'unix:/b'], { listen: [unix('/a'), unix('/b')] }],
    [
      ['--listen', '127.0.0.1:0', '--insecure'],
      { listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }], insecure: true },
    ],
    [
      ['--insecure', '--listen', '[::1]:1'],
      { listen: [{ kind: 'tcp', host: '::1', port: 1 }], insecure: true },
    ],
    [['--btf-dir', '/'], { btfDir: '/' }],
    [['--btf-dir', '/sys/..'], { btfDir: '/' }],
  ])('%j are understood', (args, expected) => {
    expect(parseCommandLine(args, 0, {})).toEqual({ ...defaults, ...expected });
  });

  test('of a user who is not root mean the user’s own place', () => {
    const { listen } = parseCommandLine([], 1000, { XDG_RUNTIME_DIR: '/run/user/1000' });
    expect(listen).toEqual([unix('/run/user/1000/btfd/btfd.sock')]);
  });

  test('with a folder that is relative mean the one that it is now', () => {
    expect(parseCommandLine(['--btf-dir', '.'], 0, {}).btfDir).toBe(process.cwd());
  });
});

/** What the arguments end the process with, and what they make it say. */
function refusal(args: readonly string[]): { readonly code: unknown; readonly said: string } {
  const said: string[] = [];
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const exit = jest.spyOn(process, 'exit').mockImplementation(() => {
    throw new Error('exit');
  });
  try {
    expect(() => parseCommandLine(args, 0, {})).toThrow('exit');
    return { code: exit.mock.calls[0]?.[0], said: said.join('') };
  } finally {
    write.mockRestore();
    exit.mockRestore();
  }
}

describe('Bad arguments', () => {
  test.each<[string[], string]>([
    [['--listen', 'localhost'], '"localhost" is no address'],
    [['--listen', 'unix:relative'], 'is not absolute'],
    [['--listen', `unix:/${'p'.repeat(200)}`], 'more than 99 bytes'],
    [['--listen', '127.0.0.1:1'], 'has no TLS: any local user could connect; allow it with --insecure'],
    [['--insecure', '--listen', '0.0.0.0:1'], 'is not loopback'],
    [['--insecure', '--listen', 'unix:/tmp/x', '--listen', '[::]:1'], 'is not loopback'],
    [['--btf-dir', '/nonexistent'], 'no such file or directory'],
    [['--btf-dir', '/etc/passwd'], 'it is no folder'],
    [['--btf-dir', `/${'n'.repeat(5000)}`], 'ENAMETOOLONG'],
    [['--log-level', 'loud'], 'Allowed choices are debug, info, warn, error, silent'],
    [['--listen'], 'argument missing'],
    [['--unknown'], "unknown option '--unknown'"],
    [['argument'], 'too many arguments'],
  ])('%j end the process with status 2 and a word why', (args, message) => {
    const { code, said } = refusal(args);
    expect(code).toBe(2);
    expect(said).toMatch(/^error: /);
    expect(said).toContain(message);
  });
});

// Few, because a process takes longer than all the rest.
describe('The program', () => {
  test.each([
    [['--listen', '127.0.0.1:1'], 'allow it with --insecure'],
    [['--unknown'], 'unknown option'],
  ])('refuses %j with status 2, and starts nothing', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  test('prints its help, with every option', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const option of [
      '--listen',
      '--insecure',
      '--btf-dir',
      '--show',
      '--log-level',
      '--version',
      '--help',
    ]) {
      expect(stdout).toContain(option);
    }
  });

  test('prints its version', async () => {
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  test('says on standard error why it can’t listen, and ends with status 1', async () => {
    using dir = new TempDir();
    const path = dir.write('file', 'no socket');
    const { code, stdout, stderr } = await run(['--listen', `unix:${path}`]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`${path} exists and is no socket`);
  });
});
