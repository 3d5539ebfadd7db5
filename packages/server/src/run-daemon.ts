import { notify, socketInfo } from '@btfd/native';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { systemClock } from './clock.js';
import type { Config } from './config/config.js';
import { tlsOf } from './config/cross-checks.js';
import { ACCESS, LOGGING, SERVING, SETTINGS } from './config/settings.js';
import { startDaemon, type Daemon } from './daemon.js';
import { addonKernel } from './kernel/addon-kernel.js';
import { formatAddress, type Address } from './listen/address.js';
import { defaultAddress } from './listen/default-address.js';
import { describeServed } from './show.js';
import { onHangup, untilEndingSignal } from './signals.js';
import { takeActivatedSockets } from './systemd/activated-sockets.js';
import { ServiceManager } from './systemd/service-manager.js';

/** RunOptions are what running needs besides the settings. */
export interface RunOptions {
  /** Whether to print what is served once it is. */
  readonly show: boolean;
  /** Reads the settings again. */
  readonly reread: () => Config;
}

/** runDaemon serves until a signal ends it. Sets the exit code to 1 if it can't start. */
export async function runDaemon(config: Config, options: RunOptions): Promise<void> {
  const logger = makeLogger(config);
  try {
    await run(config, logger, options);
  } catch (error) {
    logger.fatal({ err: error }, 'cannot start');
    process.exitCode = 1;
  }
}

async function run(config: Config, logger: Logger, { show, reread }: RunOptions): Promise<void> {
  const ending = untilEndingSignal();
  const manager = new ServiceManager({
    env: process.env,
    pid: process.pid,
    clock: systemClock,
    send: notify,
    onError: (err) => logger.warn({ err }, 'cannot tell the service manager'),
  });
  const starting = start(config, logger);
  // From here on, so that SIGHUP is never the end of it.
  onHangup(async () => {
    const daemon = await starting.catch(() => null);
    if (daemon === null) return;
    manager.reloading();
    reload(config, reread, logger);
    daemon.reload();
    manager.reloaded();
  });
  const daemon = await starting;
  const listening = daemon.addresses.map(formatAddress);
  if (tlsOf(config) === null && daemon.addresses.some(({ kind }) => kind === 'tcp')) {
    logger.warn({ listening }, 'TCP without TLS: every local user can connect');
  }
  logger.info({ listening, epoch: daemon.services.handles.epoch }, 'listening');
  manager.ready(`serving on ${listening.join(', ')}`);
  if (show) await print(daemon, logger);
  const signal = await ending;
  logger.info({ signal }, 'ending');
  manager.stopping();
  await daemon.stop();
  logger.info('ended');
}

/** Async, so that what is wrong with passed sockets is a rejection too. */
async function start(config: Config, logger: Logger): Promise<Daemon> {
  return startDaemon({
    addresses: addressesOf(config),
    btfDir: config.get(SERVING.btfDir),
    kernel: addonKernel,
    logger,
    limits: config.limits,
    tls: tlsOf(config),
    insecure: config.get(SERVING.insecure),
    policy: {
      file: config.get(ACCESS.policy),
      viewers: config.get(ACCESS.viewer),
      inspectors: config.get(ACCESS.inspector),
      loaders: config.get(ACCESS.loader),
      commonNames: config.get(ACCESS.tlsCn),
    },
    socketGroup: config.get(ACCESS.socketGroup),
  });
}

/** Sockets that were passed, and addresses that were given; the default one where there are neither. */
function addressesOf(config: Config): Address[] {
  const passed = takeActivatedSockets(process.env, process.pid, socketInfo);
  const addresses = [...passed, ...config.get(SERVING.listen)];
  return addresses.length > 0 ? addresses : [defaultAddress(process.getuid?.() ?? 0, process.env)];
}

/** Reads the settings again, and applies what can change while it runs. Settings that are wrong change nothing. */
function reload(running: Config, reread: () => Config, logger: Logger): void {
  let config: Config;
  try {
    config = reread();
  } catch (error) {
    logger.error(
      { problems: error instanceof Error ? error.message.split('\n') : error },
      'settings not read again',
    );
    return;
  }
  logger.level = config.get(LOGGING.logLevel);
  const needRestart = SETTINGS.filter((setting) => {
    const changed = config.format(setting) !== running.format(setting);
    return changed && setting !== LOGGING.logLevel;
  }).map(({ name }) => name);
  if (needRestart.length > 0) logger.warn({ settings: needRestart }, 'changed settings that need a restart');
  logger.info('settings read again');
}

/** What can't be shown is no reason not to serve. */
async function print({ services, addresses }: Daemon, logger: Logger): Promise<void> {
  process.stdout.on('error', (err) => logger.warn({ err }, 'cannot write to standard output'));
  try {
    process.stdout.write(await describeServed(services, addresses));
  } catch (err) {
    logger.warn({ err }, 'cannot show what is served');
  }
}

function makeLogger(config: Config): Logger {
  // Standard output is for what --show prints.
  const level = config.get(LOGGING.logLevel);
  return pino({ level }, pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY }));
}
