import { Command as Program, Option } from 'commander';
import { CONFIG_VARIABLE } from '../config/environment.js';
import { DERIVED_LIMITS, whyRemoved } from '../config/limits.js';
import { DEFAULT_CONFIG_FILE, type ConfigSources } from '../config/read-config.js';
import { defaultOf, flagOf, VARIABLE_PREFIX, type Setting, type SettingText } from '../config/setting.js';
import { SETTING_GROUPS } from '../config/settings.js';
import { VERSION } from '../base/version.js';

/** Command is a command of `btfd`. */
export type Command =
  { readonly name: 'serve' | 'check-config' } | { readonly name: 'init-certificates'; readonly dir: string };

/** Invocation holds the parsed arguments of `btfd`. */
export interface Invocation {
  readonly command: Command;
  /** Where the settings come from. */
  readonly sources: ConfigSources;
  /** Whether to print the served objects after the start. */
  readonly show: boolean;
}

/** SettingOption is the option of a setting. */
export interface SettingOption {
  readonly setting: Setting<unknown>;
  readonly option: Option;
}

const INTRODUCTION = `
Serves the BTF of this machine’s kernel over gRPC (btf.v1.BtfService).

Each setting below is a flag, an environment variable and a key of the file,
such as --max-ttl, ${VARIABLE_PREFIX}MAX_TTL and max-ttl. A flag overrides the environment,
which overrides the file. docs/operations.md explains each setting.`;

/**
 * parseCommandLine parses the arguments of `btfd`, but not the values of settings. It ends the process after `--help`
 * and `--version`, and with status 2 if an argument is unknown.
 */
export function parseCommandLine(args: readonly string[], env: NodeJS.ProcessEnv): Invocation {
  let command: Command = { name: 'serve' };
  const { program, options } = makeCommandLine((chosen) => {
    command = chosen;
  });
  program.parse(args, { from: 'user' });
  const file: unknown = program.getOptionValue('config');
  return {
    command,
    sources: { flags: flagsOf(program, options), env, file: typeof file === 'string' ? file : null },
    show: program.getOptionValue('show') === true,
  };
}

/** CommandLine is the grammar of `btfd`. */
export interface CommandLine {
  readonly program: Program;
  /** The options that are settings. */
  readonly options: readonly SettingOption[];
}

/**
 * makeCommandLine returns the grammar of `btfd`.
 *
 * @param choose receives the command, unless it is `serve`.
 */
export function makeCommandLine(choose: (command: Command) => void): CommandLine {
  const program = makeProgram();
  const options = addSettings(program);
  refuseRemoved(program);
  refuseRepeats(program);
  program.action(() => refuseUnknown(program));
  program
    .command('serve')
    .description('run the daemon; the default command')
    .action(() => {});
  program
    .command('config')
    .description('check the settings')
    .command('check')
    .description('print the settings in force and where each came from; exit status 2 if one is invalid')
    .action(() => choose({ name: 'check-config' }));
  program
    .command('certs')
    .description('make certificates')
    // No setting affects certificates.
    .configureHelp({ showGlobalOptions: false })
    .command('init <dir>')
    .description('make an authority, a server and a client certificate to try mutual TLS with')
    .action((dir: string) => choose({ name: 'init-certificates', dir }));
  // After the commands, which inherit it: only the daemon itself has an error of its own.
  program.allowExcessArguments();
  return { program, options };
}

/** Makes a word that is not a command an error. People try `start` and `run`. */
function refuseUnknown(program: Program): void {
  const [word] = program.args;
  if (word === undefined) return;
  program.error(`error: unknown command ${JSON.stringify(word)}: \`btfd serve\` starts the daemon`);
}

function makeProgram(): Program {
  // First, because commands inherit these properties when they are added.
  return new Program('btfd')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .configureHelp({ showGlobalOptions: true })
    .description(INTRODUCTION.trim())
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showHelpAfterError('hint: `btfd --help` lists the commands and settings')
    .option(
      '--config <file>',
      `YAML file of settings (default: ${CONFIG_VARIABLE}, or ${DEFAULT_CONFIG_FILE} if it exists)`,
    )
    .option('--show', 'print the served objects after the start')
    .allowExcessArguments(false);
}

function addSettings(program: Program): SettingOption[] {
  return SETTING_GROUPS.flatMap(({ title, settings }) =>
    settings.map((setting) => {
      const option = optionOf(setting).helpGroup(`${title}:`);
      program.addOption(option);
      if (setting.kind.placeholder === null) {
        program.addOption(new Option(`--no-${setting.name}`).hideHelp());
      }
      return { setting, option };
    }),
  );
}

/** Makes each removed flag an error that says what replaced it. */
function refuseRemoved(program: Program): void {
  for (const { name } of Object.values(DERIVED_LIMITS)) {
    program.addOption(new Option(`${flagOf({ name })} [value]`).hideHelp());
    program.on(`option:${name}`, () =>
      program.error(`error: ${flagOf({ name })} ${whyRemoved(name, flagOf)}`),
    );
  }
}

/** Makes it an error to give an option with one value twice: commander would use the last value silently. */
function refuseRepeats(program: Program): void {
  for (const option of program.options.filter(({ required }) => required)) {
    let first: string | null = null;
    // After commander has taken the value, which is a list if the option can be repeated.
    program.on(`option:${option.name()}`, (text: string) => {
      if (first === null) first = text;
      else if (!Array.isArray(program.getOptionValue(option.attributeName()))) {
        const both = `${JSON.stringify(first)} and ${JSON.stringify(text)}`;
        program.error(`error: option '${option.flags}' is given twice, with ${both}: give it once`);
      }
    });
  }
}

function optionOf(setting: Setting<unknown>): Option {
  const { kind, description } = setting;
  const value = kind.placeholder === null ? '' : ` <${kind.placeholder}>`;
  const note = kind.note === undefined ? '' : `; ${kind.note}`;
  const option = new Option(
    `${flagOf(setting)}${value}`,
    `${description}${note} (default: ${defaultOf(setting)})`,
  );
  if (!kind.isList) return option;
  return option.argParser((text: string, all: readonly string[] | undefined) => [...(all ?? []), text]);
}

function flagsOf(program: Program, options: readonly SettingOption[]): Map<string, SettingText> {
  const flags = new Map<string, SettingText>();
  for (const { setting, option } of options) {
    const value: unknown = program.getOptionValue(option.attributeName());
    const texts = textsOf(value);
    const flag = flagOf(setting);
    if (texts !== null) flags.set(setting.name, { texts, origin: flag, subject: flag });
  }
  return flags;
}

/** Returns the texts of a value that commander parsed: a boolean for a switch, a string, or a list of strings. */
function textsOf(value: unknown): readonly string[] | null {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string' || typeof value === 'boolean' ? [String(value)] : null;
}
