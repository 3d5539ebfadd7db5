import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, jest, test } from '@jest/globals';
import { parseCommandLine } from './command-line.js';
import { DERIVED_LIMITS, whyRemoved } from '../config/limits.js';
import { defaultOf, flagOf } from '../config/setting.js';
import { SETTINGS } from '../config/settings.js';
import { TempDir } from '../testing/temp-dir.js';
import { VERSION } from '../base/version.js';

const BIN = fileURLToPath(new URL('../../bin/btfd.js', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program until it ends. */
async function run(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], { timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

describe('Arguments', () => {
  const textsOf = (...args: string[]) => {
    const { flags } = parseCommandLine(args, {}).sources;
    return Object.fromEntries([...flags].map(([name, { texts }]) => [name, texts]));
  };

  test.each<[string[], Record<string, string[]>]>([
    [[], {}],
    [['serve'], {}],
    [['--log-level', 'debug'], { 'log-level': ['debug'] }],
    [['serve', '--log-level', 'debug'], { 'log-level': ['debug'] }],
    [['--log-level', 'debug', 'serve'], { 'log-level': ['debug'] }],
    [['--listen=unix:/a', '--listen', 'unix:/b'], { listen: ['unix:/a', 'unix:/b'] }],
    [['--insecure'], { insecure: ['true'] }],
    [['--insecure', '--no-insecure'], { insecure: ['false'] }],
    [['--max-held-per-stream', '7'], { 'max-held-per-stream': ['7'] }],
    [['--max-ttl', ''], { 'max-ttl': [''] }],
  ])('%j are kept as they are written', (args, expected) => {
    expect(textsOf(...args)).toEqual(expected);
  });

  test('select the command', () => {
    const none = { command: { name: 'serve' }, show: false, sources: { file: null } };
    expect(parseCommandLine([], {})).toMatchObject(none);
    expect(parseCommandLine(['serve', '--show'], {})).toMatchObject({ ...none, show: true });
    expect(parseCommandLine(['config', 'check', '--config', '/x'], {})).toMatchObject({
      command: { name: 'check-config' },
      sources: { file: '/x' },
    });
  });

  test('name the folder for certificates', () => {
    const { command } = parseCommandLine(['certs', 'init', '/x'], {});
    expect(command).toEqual({ name: 'init-certificates', dir: '/x' });
  });

  test('begin the messages about their values', () => {
    const { flags } = parseCommandLine(['--max-ttl', '1'], {}).sources;
    expect(flags.get('max-ttl')).toEqual({ texts: ['1'], origin: '--max-ttl', subject: '--max-ttl' });
  });
});

/** Returns the exit status that arguments lead to, and what they print, without a process of their own. */
function parsed(args: readonly string[]): {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
} {
  const printed = { stdout: '', stderr: '' };
  const writes = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      printed[name] += String(text);
      return true;
    }),
  );
  const exit = jest.spyOn(process, 'exit').mockImplementation(() => {
    throw new Error('exit');
  });
  try {
    expect(() => parseCommandLine(args, {})).toThrow('exit');
    return { code: exit.mock.calls[0]?.[0], ...printed };
  } finally {
    for (const write of writes) write.mockRestore();
    exit.mockRestore();
  }
}

describe('A flag that is given twice', () => {
  const given = (flag: string): string[] => [flag, 'one', `${flag}=two`];

  test.each(SETTINGS.filter(({ kind }) => kind.placeholder !== null))(
    '--$name is an error, or keeps both values if it is a list',
    ({ name, kind }) => {
      const flag = flagOf({ name });
      if (kind.isList) {
        const { flags } = parseCommandLine(given(flag), {}).sources;
        expect(flags.get(name)?.texts).toEqual(['one', 'two']);
        return;
      }
      const { code, stdout, stderr } = parsed(given(flag));
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr.split('\n')[0]).toBe(
        `error: option '${flag} <${kind.placeholder}>' is given twice, with "one" and "two": give it once`,
      );
    },
  );

  test('--config is an error', () => {
    const { code, stderr } = parsed(['--config', '/a', 'serve', '--config', '/b']);
    expect(code).toBe(2);
    expect(stderr).toContain(`option '--config <file>' is given twice, with "/a" and "/b": give it once\n`);
  });
});

describe('Bad arguments', () => {
  test.each<[string[], string]>([
    [['--listen'], 'argument missing'],
    [['--unknown'], "unknown option '--unknown'"],
    [['argument'], 'unknown command "argument": `btfd serve` starts the daemon'],
    [['serve', 'argument'], 'too many arguments'],
    [['serve', '--unknown'], "unknown option '--unknown'"],
    [['config', 'chekc'], "unknown command 'chekc'"],
    [['--no-max-ttl'], "unknown option '--no-max-ttl'"],
    [['--max-tll', '1s'], 'Did you mean --max-ttl?'],
    [['--max-handles-per-principal=1'], 'was removed: it is a quarter of --max-handles'],
    [['serve', '--max-handles-per-principal'], 'was removed: it is a quarter of --max-handles'],
    ...Object.values(DERIVED_LIMITS).map(({ name }): [string[], string] => [
      [flagOf({ name }), '1'],
      `error: ${flagOf({ name })} ${whyRemoved(name, flagOf)}\n`,
    ]),
  ])('%j end the process with status 2 and a reason', (args, message) => {
    const { code, stdout, stderr } = parsed(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toContain(message);
  });
});

describe('Help', () => {
  test('has every setting and its default', () => {
    const { code, stdout } = parsed(['--help']);
    expect(code).toBe(0);
    const flags = stdout.match(/--[a-z-]+/g);
    expect(flags).toEqual(expect.arrayContaining(['--version', '--help', '--config', '--show']));
    const text = stdout.replaceAll(/\s+/g, ' ');
    for (const setting of SETTINGS) {
      const { kind, description } = setting;
      const value = kind.placeholder === null ? '' : ` <${kind.placeholder}>`;
      const note = kind.note === undefined ? '' : `; ${kind.note}`;
      expect(text).toContain(
        ` ${flagOf(setting)}${value} ${description}${note} (default: ${defaultOf(setting)})`,
      );
    }
    expect(stdout).not.toContain('--no-');
    for (const { name } of Object.values(DERIVED_LIMITS)) expect(flags).not.toContain(flagOf({ name }));
  });

  test('of a command has the settings', () => {
    const { code, stdout } = parsed(['config', 'check', '--help']);
    expect([code, stdout.includes('--max-ttl <TIME>')]).toEqual([0, true]);
  });

  test('of a command that uses no settings has none', () => {
    for (const words of [['certs'], ['certs', 'init']]) {
      const { stdout, stderr } = parsed([...words, '--help']);
      expect(stdout + stderr).toMatch(/^Usage: btfd certs/);
      expect(stdout + stderr).not.toContain('--max-ttl');
    }
  });
});

// Few, because one process takes longer than all tests above.
describe('The program', () => {
  test('reports everything that is wrong with the settings, with status 2, and starts nothing', async () => {
    const { code, stdout, stderr } = await run(['--max-ttl', 'x', '--max-tokens', '0']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: --max-ttl: "x" .*\nerror: --max-tokens: "0" .*\n$/);
  });

  test('makes certificates, once', async () => {
    using dir = new TempDir();
    const { code, stdout, stderr } = await run(['certs', 'init', dir.path]);
    expect([code, stdout.split('\n')]).toEqual([0, expect.arrayContaining([`${dir.path}/server.crt`])]);
    // The suggested commands name each file except the authority's key.
    for (const name of ['ca.crt', 'server.crt', 'server.key', 'client.crt', 'client.key']) {
      expect(stderr).toContain(`${dir.path}/${name}`);
    }
    expect(stderr).toContain('--loader uri:spiffe://btfd/client');
    const again = await run(['certs', 'init', dir.path]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/^error: .*\n$/)]);
  });

  test('prints its version', async () => {
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  test('prints why it cannot listen to standard error, and ends with status 1', async () => {
    using dir = new TempDir();
    const path = dir.write('file', 'no socket');
    const { code, stdout, stderr } = await run(['--listen', `unix:${path}`]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`${path} exists and is not a socket`);
  });
});
