import type { Given, Source } from './given.js';
import { didYouMean } from './nearest.js';
import { variableOf, VARIABLE_PREFIX, type Setting } from './setting.js';

/** CONFIG_VARIABLE names the file of settings, as `--config` does. */
export const CONFIG_VARIABLE = 'BTFD_CONFIG';

/** Variables with our prefix that are no settings of the daemon. */
const OTHERS: ReadonlySet<string> = new Set([
  CONFIG_VARIABLE,
  // btfctl's: whoever runs both in one shell has them.
  'BTFD_ADDRESS',
  'BTFD_CONTEXT',
  'BTFD_PAGER',
  // Forbids tests to be skipped.
  'BTFD_REQUIRE_TOOLS',
]);

/** readEnvironment takes the settings from the environment. Those of a list are separated by commas. */
export function readEnvironment(env: NodeJS.ProcessEnv, settings: readonly Setting<unknown>[]): Source {
  const byVariable = new Map(settings.map((setting) => [variableOf(setting), setting]));
  const given = new Map<string, Given>();
  const problems: string[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith(VARIABLE_PREFIX) || OTHERS.has(variable)) continue;
    const setting = byVariable.get(variable);
    if (setting === undefined) {
      problems.push(`${variable}: unknown variable${didYouMean(variable, [...byVariable.keys()])}`);
      continue;
    }
    const texts = setting.kind.isList ? listed(text) : [text];
    given.set(setting.name, { texts, origin: variable, subject: variable });
  }
  return { given, problems };
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
