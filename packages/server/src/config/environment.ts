import { DERIVED_LIMITS, whyRemoved } from './limits.js';
import { variableOf, VARIABLE_PREFIX, type Setting, type SettingText, type Source } from './setting.js';

/** CONFIG_VARIABLE names the file of settings, as `--config` does. */
export const CONFIG_VARIABLE = 'BTFD_CONFIG';

/** Variables with our prefix that are not settings of the daemon. */
const OTHERS: ReadonlySet<string> = new Set([
  CONFIG_VARIABLE,
  // Of btfctl, which may run in the same shell.
  'BTFD_ADDRESS',
  'BTFD_CONTEXT',
  'BTFD_PAGER',
  // Makes tests whose tools are missing fail instead of being skipped.
  'BTFD_REQUIRE_TOOLS',
]);

/** readEnvironment reads settings from environment variables. The values of a list are separated by commas. */
export async function readEnvironment(
  env: NodeJS.ProcessEnv,
  settings: readonly Setting<unknown>[],
): Promise<Source> {
  const byVariable = new Map(settings.map((setting) => [variableOf(setting), setting]));
  const given = new Map<string, SettingText>();
  const problems: string[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith(VARIABLE_PREFIX) || OTHERS.has(variable)) continue;
    const setting = byVariable.get(variable);
    if (setting === undefined) {
      problems.push(await unknownVariable(variable, [...byVariable.keys()]));
      continue;
    }
    const texts = setting.kind.isList ? splitList(text) : [text];
    given.set(setting.name, { texts, origin: variable, subject: variable });
  }
  return { given, problems };
}

async function unknownVariable(variable: string, known: readonly string[]): Promise<string> {
  const removed = Object.values(DERIVED_LIMITS).find((each) => variableOf(each) === variable);
  if (removed === undefined) {
    // Imported here, because it loads `@btfd/btf`.
    const { unknownName } = await import('../base/text.js');
    return unknownName('variable', variable, known);
  }
  return `${variable} ${whyRemoved(removed.name, variableOf)}`;
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
