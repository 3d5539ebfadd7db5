import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { parseCommandLine, type Settings } from './command-line.js';
import { startDaemon, type Daemon } from './daemon.js';
import { addonKernel } from './kernel/addon-kernel.js';
import { formatAddress } from './listen/address.js';
import { describeServed } from './show.js';

/** main is the program `btfd`. */
export async function main(): Promise<void> {
  const settings = parseCommandLine(process.argv.slice(2), process.getuid?.() ?? 0, process.env);
  const logger = makeLogger(settings);
  try {
    await run(settings, logger);
  } catch (error) {
    logger.fatal({ err: error }, 'cannot start');
    process.exitCode = 1;
  }
}

async function run(settings: Settings, logger: Logger): Promise<void> {
  const ending = endingSignal();
  const daemon = await startDaemon({
    addresses: settings.listen,
    btfDir: settings.btfDir,
    kernel: addonKernel,
    logger,
    policy: settings.policy,
    tls: settings.tls,
    insecure: settings.insecure,
    socketGroup: settings.socketGroup,
  });
  const listening = daemon.addresses.map(formatAddress);
  if (settings.insecure && settings.tls === null)
    logger.warn({ listening }, 'TCP without TLS: every local user can connect');
  logger.info({ listening, epoch: daemon.services.handles.epoch }, 'listening');
  if (settings.show) await show(daemon, logger);
  const signal = await ending;
  logger.info({ signal }, 'ending');
  await daemon.stop();
  logger.info('ended');
}

/** What can't be shown is no reason not to serve. */
async function show({ services, addresses }: Daemon, logger: Logger): Promise<void> {
  process.stdout.on('error', (err) => logger.warn({ err }, 'cannot write to standard output'));
  try {
    process.stdout.write(await describeServed(services, addresses));
  } catch (err) {
    logger.warn({ err }, 'cannot show what is served');
  }
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once, as by default. */
async function endingSignal(): Promise<NodeJS.Signals> {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      for (const each of signals) process.off(each, onSignal);
      resolve(signal);
    };
    for (const signal of signals) process.on(signal, onSignal);
  });
}

function makeLogger({ logLevel }: Settings): Logger {
  // Standard output is for what --show prints.
  return pino({ level: logLevel }, pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY }));
}
