import { flagOf, type SettingText } from '../config/setting.js';
import { SETTINGS } from '../config/settings.js';
import type { Invocation } from './command-line.js';

/** The settings whose flag has a value, by flag. */
const BY_FLAG = new Map(
  SETTINGS.filter(({ kind }) => kind.placeholder !== null).map((setting) => [flagOf(setting), setting]),
);

/**
 * readPlainArguments reads `serve` and flags of settings with their values, which most daemons are started with. Returns null
 * for other arguments and for those with a mistake. These are left to `parseCommandLine`, whose grammar takes 4 % of a
 * start to load and to make.
 */
export function readPlainArguments(args: readonly string[], env: NodeJS.ProcessEnv): Invocation | null {
  const flags = new Map<string, SettingText>();
  const words = (args[0] === 'serve' ? args.slice(1) : args).values();
  for (const word of words) {
    const [flag, attached] = splitOnce(word);
    const setting = BY_FLAG.get(flag);
    const text = attached ?? words.next().value;
    // A value that looks like a flag may be one whose own value was forgotten.
    if (setting === undefined || text === undefined || (attached === null && text.startsWith('-')))
      return null;
    const earlier = flags.get(setting.name);
    if (earlier !== undefined && !setting.kind.isList) return null;
    flags.set(setting.name, { texts: [...(earlier?.texts ?? []), text], origin: flag, subject: flag });
  }
  return { command: { name: 'serve' }, sources: { flags, env, file: null }, show: false };
}

/** Splits `--flag=value`. The value is null without `=`. */
function splitOnce(word: string): readonly [flag: string, value: string | null] {
  const end = word.indexOf('=');
  return end < 0 ? [word, null] : [word.slice(0, end), word.slice(end + 1)];
}
