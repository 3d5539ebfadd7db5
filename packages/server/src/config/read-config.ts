import { readTrustedFile } from '../base/trusted-file.js';
import { errorCode, errorMessage } from '../error/error-code.js';
import { Config } from './config.js';
import { crossProblems } from './cross-checks.js';
import { CONFIG_VARIABLE, readEnvironment } from './environment.js';
import { defaultOf, type Setting, type SettingText, type Source } from './setting.js';
import { SETTINGS } from './settings.js';

/** DEFAULT_CONFIG_FILE is the file of settings that is read, if it exists, when no other is named. */
export const DEFAULT_CONFIG_FILE = '/etc/btfd/config.yaml';

/** ConfigError reports every problem of the settings, one on each line of its message. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** ConfigSources are the sources of settings, in order of precedence. */
export interface ConfigSources {
  readonly flags: ReadonlyMap<string, SettingText>;
  readonly env: NodeJS.ProcessEnv;
  /** The file that `--config` names, or null. */
  readonly file: string | null;
}

/**
 * readConfig returns the settings. A flag overrides the environment, which overrides the file, which overrides the
 * default.
 *
 * @throws ConfigError with every problem of every source, including values that are overridden.
 */
export async function readConfig({ flags, env, file }: ConfigSources): Promise<Config> {
  const sources: readonly Source[] = [
    await fileSource(file ?? env[CONFIG_VARIABLE] ?? null),
    await readEnvironment(env, SETTINGS),
    { given: flags, problems: [] },
  ];
  const problems: string[] = [];
  for (const source of sources) problems.push(...source.problems, ...(await badValues(source)));
  if (problems.length > 0) throw new ConfigError(problems);
  const given = new Map<string, SettingText>();
  for (const source of sources) for (const [name, each] of source.given) given.set(name, each);
  const config = new Config(given);
  const cross = crossProblems(config);
  if (cross.length > 0) throw new ConfigError(cross);
  return config;
}

async function fileSource(named: string | null): Promise<Source> {
  const path = named ?? DEFAULT_CONFIG_FILE;
  const none: Source = { given: new Map(), problems: [] };
  let content: Buffer;
  try {
    content = await readTrustedFile(path);
  } catch (error) {
    if (named === null && errorCode(error) === 'ENOENT') return none;
    return { ...none, problems: [`cannot read the settings: ${errorMessage(error)}`] };
  }
  if (content.length === 0) return none;
  // Imported here, because it loads the parser of YAML, which takes longer than everything else that reads settings.
  const { parseConfig } = await import('./file.js');
  return parseConfig(content.toString(), path, SETTINGS);
}

async function badValues({ given }: Source): Promise<string[]> {
  const problems: string[] = [];
  for (const setting of SETTINGS) {
    const each = given.get(setting.name);
    const problem = each === undefined ? null : await problemOf(setting, each);
    if (problem !== null) problems.push(problem);
  }
  return problems;
}

async function problemOf<T>({ kind }: Setting<T>, { texts, subject }: SettingText): Promise<string | null> {
  try {
    const value = kind.parse(texts);
    await kind.check?.(value);
    return null;
  } catch (error) {
    return `${subject}: ${errorMessage(error)}`;
  }
}

/** describeConfig returns a table of the settings in force: the name, the value, and where it came from. */
export function describeConfig(config: Config): string {
  const rows = SETTINGS.map((setting) => {
    const origin = config.originOf(setting);
    const value = origin === null ? defaultOf(setting) : config.format(setting);
    return [setting.name, value, origin ?? 'default'] as const;
  });
  const width = (column: 0 | 1): number =>
    Math.max(...rows.map((row) => row[column].length).filter((length) => length <= MAX_WIDTH));
  const widths = [width(0), width(1)] as const;
  return rows
    .map(([name, value, origin]) => `${name.padEnd(widths[0])}  ${value.padEnd(widths[1])}  ${origin}\n`)
    .join('');
}

/** A single long value must not push the last column of all lines off the screen. */
const MAX_WIDTH = 40;
