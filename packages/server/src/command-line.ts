import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseAddress, type Address } from './listen/address.js';
import type { PolicyOptions } from './auth/policy-options.js';
import type { TlsFiles } from './auth/tls-files.js';
import { defaultAddress } from './listen/default-address.js';
import { findGroup } from './listen/find-group.js';
import { whyRefused } from './listen/refusal.js';
import { VERSION } from './version.js';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Settings are what the command line says. */
export interface Settings {
  readonly listen: readonly Address[];
  readonly insecure: boolean;
  readonly btfDir: string | null;
  readonly show: boolean;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly tls: TlsFiles | null;
  readonly policy: PolicyOptions;
  readonly socketGroup: number | null;
}

interface ParsedOptions {
  readonly listen?: Address[];
  readonly insecure: boolean;
  readonly btfDir?: string;
  readonly show: boolean;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly policy?: string;
  readonly viewer: string[];
  readonly inspector: string[];
  readonly loader: string[];
  readonly socketGroup?: number;
}

/**
 * parseCommandLine reads the arguments of `btfd`. Ends the process after `--help` and `--version`, and
 * with status 2 after bad arguments.
 */
export function parseCommandLine(args: readonly string[], uid: number, env: NodeJS.ProcessEnv): Settings {
  const command = makeCommand();
  command.parse(args, { from: 'user' });
  const options = command.opts<ParsedOptions>();
  const { listen, insecure, btfDir, show, logLevel, socketGroup, viewer, inspector, loader } = options;
  const tls = tlsOf(options, command);
  for (const address of listen ?? []) {
    const refusal = whyRefused(address, { tls: tls !== null, insecure });
    if (refusal !== null) command.error(`error: --listen: ${refusal}`, { exitCode: 2 });
  }
  return {
    listen: listen ?? [defaultAddress(uid, env)],
    insecure,
    btfDir: btfDir ?? null,
    show,
    logLevel,
    tls,
    policy: { file: options.policy ?? null, viewers: viewer, inspectors: inspector, loaders: loader },
    socketGroup: socketGroup ?? null,
  };
}

function tlsOf({ tlsCert, tlsKey, tlsClientCa }: ParsedOptions, command: Command): TlsFiles | null {
  if (tlsCert === undefined && tlsKey === undefined && tlsClientCa === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined || tlsClientCa === undefined) {
    return command.error('error: --tls-cert, --tls-key and --tls-client-ca need each other', { exitCode: 2 });
  }
  return { cert: tlsCert, key: tlsKey, clientCa: tlsClientCa };
}

function makeCommand(): Command {
  return new Command('btfd')
    .description('Serves the BTF of this machine’s kernel over gRPC (btf.v1.BtfService).')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option(
      '--listen <address>',
      'listen on unix:PATH or HOST:PORT; may be given several times\n' +
        '(default: unix:/run/btfd/btfd.sock as root, else under $XDG_RUNTIME_DIR)',
      (text: string, all: Address[] | undefined) => [...(all ?? []), addressArgument(text)],
    )
    .option(
      '--insecure',
      'allow HOST:PORT without TLS, on loopback only: every local user can connect',
      false,
    )
    .option('--tls-cert <file>', 'PEM: certificate of the daemon, for TLS on HOST:PORT')
    .option('--tls-key <file>', 'PEM: its key')
    .option('--tls-client-ca <file>', 'PEM: authorities of client certificates')
    .option('--policy <file>', 'who may do what: a YAML file, read again when it changes')
    .option('--viewer <principal>', 'such as gid:27 or uri:spiffe://x/y; several times', collect, [])
    .option('--inspector <principal>', 'as --viewer', collect, [])
    .option('--loader <principal>', 'as --viewer', collect, [])
    .option('--socket-group <group>', 'group of unix sockets, by number or name', groupArgument)
    .option('--btf-dir <dir>', 'serve the raw BTF files of a folder instead of the kernel', directoryArgument)
    .option('--show', 'print what is served once it is', false)
    .addOption(
      new Option('--log-level <level>', 'log from this level on, to standard error')
        .choices(LOG_LEVELS)
        .default('info'),
    )
    .allowExcessArguments(false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
}

function addressArgument(text: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function collect(text: string, all: string[]): string[] {
  return [...all, text];
}

function groupArgument(text: string): number {
  try {
    return findGroup(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function directoryArgument(text: string): string {
  try {
    if (statSync(text).isDirectory()) return resolve(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
  throw new InvalidArgumentError('it is no folder');
}
