import { type Command, InvalidArgumentError, Option } from 'commander';
import type { TlsFiles } from '../config/config.js';
import { type Format, FORMATS } from '../output/formats.js';
import { COLOR_CHOICES, type ColorChoice } from '../output/terminal.js';

/** GlobalOptions are the options that every command takes. */
export interface GlobalOptions {
  readonly address?: string;
  readonly context?: string;
  readonly config?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
  readonly output: Format;
  /** Whether names end with a NUL byte, as those of `find -print0`. */
  readonly null?: boolean;
  readonly quiet?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly color: ColorChoice;
  readonly pager: boolean;
}

/** addGlobalOptions declares the {@link GlobalOptions}. */
export function addGlobalOptions(program: Command): void {
  program
    .option('-a, --address <address>', 'use the daemon at unix:/PATH or HOST:PORT (BTFD_ADDRESS)', notEmpty)
    .option('--context <name>', 'use the daemon of this context of the config file (BTFD_CONTEXT)', notEmpty)
    .option('--config <file>', 'use another config file (BTFCTL_CONFIG)', notEmpty)
    .option('--tls-ca <file>', 'trust the authorities in this PEM file', notEmpty)
    .option('--tls-cert <file>', 'present the certificate in this PEM file', notEmpty)
    .option('--tls-key <file>', 'the key of that certificate, a PEM file', notEmpty)
    .option('--tls-server-name <name>', "the name that the daemon's certificate must have", notEmpty)
    .addOption(new Option('-o, --output <format>', 'how to print results').choices(FORMATS).default('table'))
    .option(
      '-0, --null',
      'with -o name in a pipe: end each name with a NUL byte, and leave every character in it',
    )
    .option('-q, --quiet', 'print results and errors, but no notes and no progress')
    .addOption(
      new Option('--timeout <time>', 'time limit of each request to a daemon: 500ms, 10s, 2m').argParser(
        parseTime,
      ),
    )
    .addOption(
      new Option('--color <when>', 'when to colour the output').choices(COLOR_CHOICES).default('auto'),
    )
    .option('--no-pager', 'do not page long output on a terminal');
}

/** tlsOf returns the TLS files that the options name. */
export function tlsOf({ tlsCa, tlsCert, tlsKey, tlsServerName }: GlobalOptions): TlsFiles {
  return { caFile: tlsCa, certFile: tlsCert, keyFile: tlsKey, serverName: tlsServerName };
}

/** notEmpty refuses an empty value, which is usually that of a variable that is not set. */
export function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

/** The longest time of a timer of Node. A longer one would end at once. */
const MAX_TIME = 2 ** 31 - 1;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** parseTime returns the milliseconds of a time such as 500ms, 10s or 2m. */
export function parseTime(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  const time = Number(digits) * (UNITS[unit === '' ? 's' : unit] ?? 0);
  if (digits === undefined || time <= 0)
    throw new InvalidArgumentError('Use a time such as 500ms, 10s or 2m.');
  if (time > MAX_TIME) throw new InvalidArgumentError('The longest time is 35791m.');
  return time;
}
