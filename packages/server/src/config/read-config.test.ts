import { describe, expect, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import type { Config } from './config.js';
import { LIMIT_SETTINGS } from './limit-settings.js';
import { ConfigError, describeConfig, readConfig } from './read-config.js';
import { flagOf, type Setting } from './setting.js';
import { OBSERVING, SERVING } from './settings.js';

const { maxTtlMs, maxTokens, maxHeldPerStream, drainMs } = LIMIT_SETTINGS;

/** Reads settings from flags, variables and the text of a file. */
async function read(
  flags: Readonly<Record<string, string | string[]>>,
  env: NodeJS.ProcessEnv = {},
  text: string | null = null,
): Promise<{ readonly config: Config; readonly file: string }> {
  using dir = new TempDir();
  const file = text === null ? '/dev/null' : dir.write('btfd.yaml', text);
  const given = Object.entries(flags).map(([name, value]) => {
    const flag = `--${name}`;
    return [name, { texts: [value].flat(), origin: flag, subject: flag }] as const;
  });
  return { config: await readConfig({ flags: new Map(given), env, file }), file };
}

async function problemsOf(...args: Parameters<typeof read>): Promise<readonly string[]> {
  try {
    await read(...args);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('A setting', () => {
  const valueAndOrigin = <T>(config: Config, setting: Setting<T>) => [
    config.get(setting),
    config.originOf(setting),
  ];

  test('comes from the flag, then the environment, then the file, then the default', async () => {
    const { config, file } = await read(
      { 'max-ttl': '1m' },
      { BTFD_MAX_TTL: '2m', BTFD_MAX_TOKENS: '2' },
      'max-ttl: 3m\nmax-tokens: 3\nmax-held-per-stream: 3\n',
    );
    expect(valueAndOrigin(config, maxTtlMs)).toEqual([60_000, '--max-ttl']);
    expect(valueAndOrigin(config, maxTokens)).toEqual([2, 'BTFD_MAX_TOKENS']);
    expect(valueAndOrigin(config, maxHeldPerStream)).toEqual([3, `${file}:3`]);
    expect(valueAndOrigin(config, drainMs)).toEqual([10_000, null]);
    expect(config.limits).toMatchObject({
      maxTtlMs: 60_000,
      maxTokens: 2,
      maxHeldPerStream: 3,
      drainMs: 10_000,
    });
  });

  test('that is a list comes from one source, in the environment with commas', async () => {
    const file = 'listen: [unix:/file]';
    const env = { BTFD_LISTEN: 'unix:/a, unix:/b,' };
    const unix = (path: string) => ({ kind: 'unix', path });
    expect((await read({ listen: ['unix:/x'] }, env, file)).config.get(SERVING.listen)).toEqual([unix('/x')]);
    expect((await read({}, env, file)).config.get(SERVING.listen)).toEqual([unix('/a'), unix('/b')]);
    expect((await read({}, {}, file)).config.get(SERVING.listen)).toEqual([unix('/file')]);
    expect((await read({}, {})).config.get(SERVING.listen)).toEqual([]);
  });

  test('that is a switch can be switched off by a source of higher precedence', async () => {
    expect((await read({}, {}, 'insecure: true')).config.get(SERVING.insecure)).toBe(true);
    expect((await read({}, { BTFD_INSECURE: 'false' }, 'insecure: true')).config.get(SERVING.insecure)).toBe(
      false,
    );
    expect((await read({ insecure: 'false' }, { BTFD_INSECURE: 'true' })).config.get(SERVING.insecure)).toBe(
      false,
    );
  });

  test('comes from the file that the environment names, unless the flag names another', async () => {
    using dir = new TempDir();
    const named = dir.write('a.yaml', 'log-level: warn');
    const flagged = dir.write('b.yaml', 'log-level: error');
    const env = { BTFD_CONFIG: named };
    expect((await readConfig({ flags: new Map(), env, file: null })).get(OBSERVING.logLevel)).toBe('warn');
    expect((await readConfig({ flags: new Map(), env, file: flagged })).get(OBSERVING.logLevel)).toBe(
      'error',
    );
  });

  test('is shown with its value and origin', async () => {
    const { config, file } = await read(
      { 'max-ttl': '90s' },
      { BTFD_LISTEN: 'unix:/a,unix:/b' },
      'insecure: true',
    );
    const lines = describeConfig(config).replaceAll(/ +/g, ' ').split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'max-ttl 90s --max-ttl',
        'listen unix:/a,unix:/b BTFD_LISTEN',
        `insecure true ${file}:1`,
        'max-tokens 1000 default',
      ]),
    );
  });
});

describe('readConfig', () => {
  test('reports the problems of all sources together, each with its place and the accepted values', async () => {
    using dir = new TempDir();
    const file = dir.write('f.yaml', 'max-ttl: long\nnonsense: 1\n');
    const flags = new Map([
      ['max-tokens', { texts: ['0'], origin: '--max-tokens', subject: '--max-tokens' }],
    ]);
    const env = { BTFD_LOG_LEVEL: 'loud', BTFD_NO_SUCH: '', PATH: '/bin' };
    let problems: readonly string[] = [];
    try {
      await readConfig({ flags, env, file });
    } catch (error) {
      if (error instanceof ConfigError) ({ problems } = error);
    }
    expect(problems).toEqual([
      `${file}:2: unknown key "nonsense"`,
      `${file}:1: max-ttl: "long" is not a time between 1ms and 24h: write it as 250ms, 30s, 5m, 1h or 1m30s`,
      'unknown variable "BTFD_NO_SUCH"',
      'BTFD_LOG_LEVEL: "loud" is not one of debug, info, warn, error, silent',
      '--max-tokens: "0" is not a whole number between 1 and 1000000000',
    ]);
  });

  test('reports an invalid value even if another source overrides it', async () => {
    expect(await problemsOf({ 'max-tokens': '5' }, { BTFD_MAX_TOKENS: 'x' })).toEqual([
      expect.stringContaining('BTFD_MAX_TOKENS: "x"'),
    ]);
  });

  test('throws if a named file does not exist', async () => {
    await expect(readConfig({ flags: new Map(), env: {}, file: '/nonexistent.yaml' })).rejects.toThrow(
      /cannot read the settings: .*ENOENT.*\/nonexistent\.yaml/,
    );
  });

  test('ignores variables of the client, of tests and of other programs', async () => {
    const btfctl = { BTFD_ADDRESS: 'x', BTFD_CONTEXT: 'x', BTFD_PAGER: 'x' };
    const env = { ...btfctl, BTFD_REQUIRE_TOOLS: '1', OTHER_BTFD_X: '1', BTFDX: '1' };
    expect(await problemsOf({}, env)).toEqual([]);
  });

  test.each<[Record<string, string>, string]>([
    [{ 'min-ttl': '2m' }, 'min-ttl 2m (--min-ttl) is more than default-ttl 1m (default)'],
    [{ 'max-ttl': '30s' }, 'default-ttl 1m (default) is more than max-ttl 30s (--max-ttl)'],
    [
      { 'drain-timeout': '20s' },
      'keepalive 20s (default) is not more than drain-timeout 20s (--drain-timeout)',
    ],
    [
      { listen: '127.0.0.1:1' },
      '--listen: 127.0.0.1:1 has no TLS: any local user could connect; allow it with --insecure',
    ],
    [
      { 'tls-cert': '/c' },
      'tls-cert, tls-key, tls-client-ca must be given together: missing tls-key, tls-client-ca',
    ],
    [
      { 'bpf-token': '/', 'btf-dir': '/' },
      'bpf-token / (--bpf-token) cannot be used with btf-dir: a folder of files needs no access to the kernel',
    ],
    [{ listen: '0.0.0.0:1', insecure: 'true' }, '--listen: 0.0.0.0:1 is not loopback'],
    [{ listen: '[::]:1', insecure: 'true' }, '--listen: [::]:1 is not loopback'],
  ])('reports settings that contradict each other: %j', async (flags, message) => {
    const problems = await problemsOf(flags);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });

  test('accepts TCP with all files of TLS', async () => {
    const tls = { 'tls-cert': '/c', 'tls-key': '/k', 'tls-client-ca': '/ca', listen: '0.0.0.0:1' };
    expect(await problemsOf(tls)).toEqual([]);
  });

  test('accepts settings that are at the limit of what fits', async () => {
    expect(
      await problemsOf({
        'min-ttl': '1m',
        'max-ttl': '1m',
        'drain-timeout': '19999ms',
        insecure: 'true',
        listen: '[::1]:1',
      }),
    ).toEqual([]);
  });
});

test('A flag is spelled like its setting', async () => {
  expect(flagOf(maxHeldPerStream)).toBe('--max-held-per-stream');
});
