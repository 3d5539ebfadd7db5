import { Command as Program, Option } from 'commander';
import { CONFIG_VARIABLE } from '../config/environment.js';
import type { Given } from '../config/given.js';
import { DEFAULT_CONFIG_FILE, type ConfigSources } from '../config/read-config.js';
import { defaultOf, flagOf, VARIABLE_PREFIX, type Setting } from '../config/setting.js';
import { SETTING_GROUPS } from '../config/settings.js';
import { VERSION } from '../base/version.js';

/** Command is what `btfd` is to do. */
export type Command =
  { readonly name: 'serve' | 'check-config' } | { readonly name: 'init-certificates'; readonly dir: string };

/** Invocation is what the arguments of `btfd` ask for. */
export interface Invocation {
  readonly command: Command;
  /** Where the settings come from. */
  readonly sources: ConfigSources;
  /** Whether to print what is served once it is. */
  readonly show: boolean;
}

interface SettingOption {
  readonly setting: Setting<unknown>;
  readonly option: Option;
}

const INTRODUCTION = `
Serves the BTF of this machine’s kernel over gRPC (btf.v1.BtfService).

Each setting below is a flag, an environment variable and a key of the file: --max-ttl, ${VARIABLE_PREFIX}MAX_TTL
and max-ttl. A flag is stronger than the environment, that than the file. docs/operations.md explains each.`;

/**
 * parseCommandLine reads the arguments of `btfd`; what the settings' values mean is not looked at. Ends the process
 * after `--help` and `--version`, and with status 2 after arguments that it does not know.
 */
export function parseCommandLine(args: readonly string[], env: NodeJS.ProcessEnv): Invocation {
  let command: Command = { name: 'serve' };
  const program = makeProgram();
  const options = addSettings(program);
  program.action(() => {});
  program
    .command('serve')
    .description('serve, as without a command')
    .action(() => {});
  program
    .command('config')
    .description('about the settings')
    .command('check')
    .description('print the settings in force and where each came from; status 2 if something is wrong')
    .action(() => {
      command = { name: 'check-config' };
    });
  program
    .command('certs')
    .description('about certificates')
    // The settings say nothing about these.
    .configureHelp({ showGlobalOptions: false })
    .command('init <dir>')
    .description('make an authority, and certificates of a server and a client, to try mutual TLS with')
    .action((dir: string) => {
      command = { name: 'init-certificates', dir };
    });
  program.parse(args, { from: 'user' });
  const file: unknown = program.getOptionValue('config');
  return {
    command,
    sources: { flags: flagsOf(program, options), env, file: typeof file === 'string' ? file : null },
    show: program.getOptionValue('show') === true,
  };
}

function makeProgram(): Program {
  // Commands inherit what is set here, so it comes first.
  return new Program('btfd')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .configureHelp({ showGlobalOptions: true })
    .description(INTRODUCTION.trim())
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .option(
      '--config <file>',
      `YAML file of settings (default: ${DEFAULT_CONFIG_FILE} if there; ${CONFIG_VARIABLE})`,
    )
    .option('--show', 'print what is served once it is')
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

function flagsOf(program: Program, options: readonly SettingOption[]): Map<string, Given> {
  const flags = new Map<string, Given>();
  for (const { setting, option } of options) {
    const value: unknown = program.getOptionValue(option.attributeName());
    const texts = textsOf(value);
    const flag = flagOf(setting);
    if (texts !== null) flags.set(setting.name, { texts, origin: flag, subject: flag });
  }
  return flags;
}

/** What commander made of an option: true or false of a switch, the text of a value, those of a list. */
function textsOf(value: unknown): readonly string[] | null {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string' || typeof value === 'boolean' ? [String(value)] : null;
}
