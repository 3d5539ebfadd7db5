import { parseCommandLine, type Invocation } from './command-line.js';
import { describeConfig } from './config/describe-config.js';
import { ConfigError, readConfig } from './config/read-config.js';
import { runDaemon } from './run-daemon.js';

/** The settings or arguments are wrong; what goes wrong later ends with 1. */
const STATUS_BAD_CONFIG = 2;

/** main is the program `btfd`. */
export async function main(): Promise<void> {
  const invocation = parseCommandLine(process.argv.slice(2), process.env);
  try {
    await run(invocation);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) process.stderr.write(`error: ${problem}\n`);
    process.exitCode = STATUS_BAD_CONFIG;
  }
}

async function run({ command, sources, show }: Invocation): Promise<void> {
  const config = readConfig(sources);
  if (command === 'check-config') process.stdout.write(describeConfig(config));
  else await runDaemon(config, { show, reread: () => readConfig(sources) });
}
