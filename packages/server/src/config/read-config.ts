import { existsSync } from 'node:fs';
import { errorMessage } from '../error/error-code.js';
import { Config } from './config.js';
import { crossProblems } from './cross-checks.js';
import { CONFIG_VARIABLE, readEnvironment } from './environment.js';
import { readConfigFile } from './file.js';
import type { Given, Source } from './given.js';
import type { Setting } from './setting.js';
import { SETTINGS } from './settings.js';

/** DEFAULT_CONFIG_FILE is read where it exists and no other one is named. */
export const DEFAULT_CONFIG_FILE = '/etc/btfd/config.yaml';

/** ConfigError tells everything that is wrong with the settings. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** ConfigSources are the places that settings come from, the strongest first. */
export interface ConfigSources {
  readonly flags: ReadonlyMap<string, Given>;
  readonly env: NodeJS.ProcessEnv;
  /** What `--config` names; null where it is not given. */
  readonly file: string | null;
}

/**
 * readConfig reads the settings: a flag is stronger than the environment, that than the file, that than the default.
 *
 * @throws ConfigError with every problem of every source, also of what a stronger one overrides.
 */
export function readConfig({ flags, env, file }: ConfigSources): Config {
  const sources: readonly Source[] = [
    fileSource(file ?? env[CONFIG_VARIABLE] ?? null),
    readEnvironment(env, SETTINGS),
    { given: flags, problems: [] },
  ];
  const problems = sources.flatMap((source) => [...source.problems, ...badValues(source)]);
  if (problems.length > 0) throw new ConfigError(problems);
  const given = new Map<string, Given>();
  for (const source of sources) for (const [name, each] of source.given) given.set(name, each);
  const config = new Config(given);
  const cross = crossProblems(config);
  if (cross.length > 0) throw new ConfigError(cross);
  return config;
}

function fileSource(named: string | null): Source {
  if (named === null && !existsSync(DEFAULT_CONFIG_FILE)) return { given: new Map(), problems: [] };
  try {
    return readConfigFile(named ?? DEFAULT_CONFIG_FILE, SETTINGS);
  } catch (error) {
    return { given: new Map(), problems: [`cannot read the settings: ${errorMessage(error)}`] };
  }
}

function badValues({ given }: Source): string[] {
  return SETTINGS.flatMap((setting) => {
    const each = given.get(setting.name);
    const problem = each === undefined ? null : problemOf(setting, each);
    return problem === null ? [] : [problem];
  });
}

function problemOf({ kind }: Setting<unknown>, { texts, subject }: Given): string | null {
  try {
    kind.parse(texts);
    return null;
  } catch (error) {
    return `${subject}: ${errorMessage(error)}`;
  }
}
