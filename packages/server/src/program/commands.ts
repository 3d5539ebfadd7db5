import type { Invocation } from './command-line.js';
import { errorMessage } from '../error/error-code.js';
import { ConfigError, describeConfig, readConfig } from '../config/read-config.js';
import { readPlainArguments } from './plain-arguments.js';
import { print } from './print.js';
import { killIfHanging } from './signals.js';

/** The exit status for invalid settings or arguments. Later failures have 1. */
const STATUS_BAD_CONFIG = 2;

/** runCommand runs the command of `btfd` that the arguments name. */
export async function runCommand(args: readonly string[]): Promise<void> {
  const invocation = readPlainArguments(args, process.env) ?? (await parseOthers(args));
  try {
    await run(invocation);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) process.stderr.write(`error: ${problem}\n`);
    process.exitCode = STATUS_BAD_CONFIG;
  }
  await killIfHanging();
}

async function parseOthers(args: readonly string[]): Promise<Invocation> {
  const { parseCommandLine } = await import('./command-line.js');
  return parseCommandLine(args, process.env);
}

async function run({ command, sources, show }: Invocation): Promise<void> {
  if (command.name === 'init-certificates') {
    await makeCertificates(command.dir);
    return;
  }
  const config = await readConfig(sources);
  if (command.name === 'check-config') {
    print(describeConfig(config));
    return;
  }
  // Imported here, because it loads the whole daemon, which the other commands do not need.
  const { runDaemon } = await import('./run-daemon.js');
  await runDaemon(config, { show, reread: async () => readConfig(sources) });
}

async function makeCertificates(dir: string): Promise<void> {
  // Imported here, because the daemon does not need it.
  const { CLIENT_NAME, initCertificates } = await import('../certs/index.js');
  try {
    const files = await initCertificates(dir);
    print(`${Object.values(files).join('\n')}\n`);
    // A certificate has no role until one is assigned.
    process.stderr.write(`
try: btfd --listen 127.0.0.1:7443 --tls-cert ${files.serverCert} --tls-key ${files.serverKey} \\
       --tls-client-ca ${files.ca} --loader uri:${CLIENT_NAME}
     btfctl info --address 127.0.0.1:7443 --tls-ca ${files.ca} \\
       --tls-cert ${files.clientCert} --tls-key ${files.clientKey}
`);
  } catch (error) {
    process.stderr.write(`error: ${errorMessage(error)}\n`);
    process.exitCode = 1;
  }
}
