import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { ErrorReason } from '@btfd/api';
import { notify, socketInfo } from '@btfd/native';
import type { Logger } from 'pino';
import { systemClock } from '../base/clock.js';
import { nodeNameOf } from '../base/node-name.js';
import type { Config } from '../config/config.js';
import { tlsOf } from '../config/cross-checks.js';
import type { Setting } from '../config/setting.js';
import { ACCESS, DEFAULT_METRICS_ADDRESS, OBSERVING, SERVING, SETTINGS } from '../config/settings.js';
import { startDaemon, type RunningDaemon } from '../start-daemon.js';
import type { Access } from '../kernel/access.js';
import { addonKernel, makeAddonToken } from '../kernel/addon-kernel.js';
import { withToken } from '../kernel/token-kernel.js';
import { unavailable } from '../kernel/unavailable.js';
import { formatAddress, type Address, type UnixAddress } from '../base/address.js';
import { isJournal } from '../observe/journal.js';
import { makeLog, takeGrpcLog, type Log } from '../observe/logger.js';
import { giveBackMemory } from './give-back-memory.js';
import { tooFewFiles } from './open-files.js';
import { describeServed } from './show.js';
import { killIfHanging, onHangup, untilEndingSignal } from './signals.js';
import { takeActivatedSockets, type ActivatedSockets } from './activated-sockets.js';
import { ServiceManager } from './service-manager.js';

/** Time for the last log lines to be written. */
const FLUSH_MS = 1_000;
/** Time for a start to complete after a signal that ends the daemon. */
const START_MS = 1_000;

/**
 * Keeps V8 from allocating objects of calls among the old ones, which it may do from the first calls on. Each of these keeps its
 * whole call until V8 next collects all garbage, and is copied until then.
 */
const ENGINE_FLAG = '--no-allocation-site-pretenuring';

/** RunOptions are the options of a run that are not settings. */
export interface RunOptions {
  /** Whether to print the served objects after the start. */
  readonly show: boolean;
  /** Reads the settings again. Rejects with a ConfigError if they are invalid. */
  readonly reread: () => Promise<Config>;
}

/** runDaemon serves until a signal, and then ends the process. The exit status is 1 if it cannot start. */
export async function runDaemon(config: Config, options: RunOptions): Promise<void> {
  setFlagsFromString(ENGINE_FLAG);
  // Logs go to standard error, because --show prints to standard output.
  const log = await makeLog({
    level: config.get(OBSERVING.logLevel),
    format: config.get(OBSERVING.logFormat),
    toJournal: isJournal(process.stderr.fd, process.env),
  });
  takeGrpcLog(log.logger);
  try {
    await run(config, log, options);
  } catch (error) {
    log.logger.fatal({ err: error }, 'cannot start');
    process.exitCode = 1;
  }
  // Lines that are not read would keep the process alive.
  await log.output.flush(FLUSH_MS);
  await killIfHanging();
  process.exit();
}

async function run(config: Config, log: Log, { show, reread }: RunOptions): Promise<void> {
  const { logger } = log;
  const ending = untilEndingSignal();
  const manager = new ServiceManager({
    env: process.env,
    pid: process.pid,
    clock: systemClock,
    send: notify,
    onError: (err) => logger.warn({ err }, 'cannot notify the service manager'),
  });
  // As text, because the folder or group of a value may be gone when values are compared.
  const running = new Map(SETTINGS.map((setting) => [setting, config.format(setting)]));
  const starting = start(config, log);
  // Before the start is complete, so that SIGHUP never ends the process.
  onHangup(async () => {
    const daemon = await starting.catch(() => null);
    if (daemon === null) return;
    manager.reloading();
    await reload(running, reread, logger);
    await daemon.reload();
    manager.reloaded();
  });
  // A start that waits for a file system must not keep a signal waiting.
  const daemon = await Promise.race([starting, ending.then(async () => setTimeout(START_MS, null))]);
  if (daemon === null) {
    logger.warn({ signal: await ending }, 'ended before the start was complete');
    return;
  }
  const listening = daemon.addresses.map(formatAddress);
  if (tlsOf(config) === null && daemon.addresses.some(({ kind }) => kind === 'tcp')) {
    logger.warn({ listening }, 'TCP without TLS: every local user can connect');
  }
  warnOfUnavailable(daemon.services.access, logger);
  const fileWarning = tooFewFiles(config.limits);
  if (fileWarning !== null) logger.warn(fileWarning);
  const metrics = daemon.metricsAddress === null ? {} : { metrics: formatAddress(daemon.metricsAddress) };
  logger.info({ listening, ...metrics, epoch: daemon.services.handles.epoch }, 'listening');
  manager.ready(`serving on ${listening.join(', ')}`);
  if (show) await print(daemon, tlsOf(config) !== null, logger);
  const stopTrimming = giveBackMemory(systemClock);
  const signal = await ending;
  stopTrimming();
  logger.info({ signal }, 'ending');
  manager.stopping();
  await daemon.stop();
  logger.info('ended');
}

/** Starts the daemon. It is async so that bad passed sockets also reject. */
async function start(config: Config, { logger, output }: Log): Promise<RunningDaemon> {
  const metrics = config.get(OBSERVING.metricsListen);
  const passed = takeActivatedSockets(process.env, process.pid, socketInfo);
  const bpffs = config.get(SERVING.bpfToken);
  return startDaemon({
    addresses: addressesOf(config, passed),
    fdSocket: fdSocketOf(config, passed),
    btfDir: config.get(SERVING.btfDir),
    nodeName: () => nodeNameOf(config.get(SERVING.nodeName), process.env),
    kernel: bpffs === null ? addonKernel : await withToken(bpffs, addonKernel, makeAddonToken),
    logger,
    droppedLogLines: () => output.dropped,
    metricsAddress: metrics === 'off' ? null : (metrics ?? DEFAULT_METRICS_ADDRESS),
    metricsRequired: metrics !== null,
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

/** Returns the passed sockets and the given addresses, or the default address if there are neither. */
function addressesOf(config: Config, passed: ActivatedSockets): Address[] {
  const addresses = [...passed.addresses, ...config.get(SERVING.listen)];
  return addresses.length > 0 ? addresses : [defaultAddress(process.getuid?.() ?? 0, process.env)];
}

/** @throws Error if there are both a setting and a passed socket. */
function fdSocketOf(config: Config, { fdSocket }: ActivatedSockets): UnixAddress | null {
  const set = config.get(SERVING.fdSocket);
  if (set !== null && fdSocket !== null) {
    throw new Error(
      `fd-socket is ${set.path}, but the service manager has passed a socket named fd: use one`,
    );
  }
  return fdSocket ?? set;
}

/** Reads the settings again, and applies those that can change at run time. Invalid settings change nothing. */
async function reload(
  running: ReadonlyMap<Setting<unknown>, string>,
  reread: () => Promise<Config>,
  logger: Logger,
): Promise<void> {
  try {
    const config = await reread();
    const needRestart = SETTINGS.filter((setting) => {
      const changed = config.format(setting) !== running.get(setting);
      return changed && setting !== OBSERVING.logLevel;
    }).map(({ name }) => name);
    logger.level = config.get(OBSERVING.logLevel);
    if (needRestart.length > 0)
      logger.warn({ settings: needRestart }, 'changed settings that need a restart');
    logger.info('settings read again');
  } catch (error) {
    logger.error(
      { problems: error instanceof Error ? error.message.split('\n') : error },
      'settings not read again',
    );
  }
}

/** Logs each operation that this machine does not allow, with the reason. A folder of files allows few by intent. */
function warnOfUnavailable(access: Access, logger: Logger): void {
  for (const { what, why } of unavailable(access)) {
    if (why.reason === ErrorReason.OPERATION_UNAVAILABLE) continue;
    logger.warn({ reason: why.message }, `not available: ${what}`);
  }
}

/** Prints the served objects. The daemon continues if that fails. */
async function print({ services, addresses }: RunningDaemon, isTls: boolean, logger: Logger): Promise<void> {
  process.stdout.on('error', (err) => logger.warn({ err }, 'cannot write to standard output'));
  try {
    process.stdout.write(await describeServed(services, addresses, isTls));
  } catch (err) {
    logger.warn({ err }, 'cannot show what is served');
  }
}

/** defaultAddress returns where the daemon listens by default: in a folder of root's, or of the user's own. */
export function defaultAddress(uid: number, env: NodeJS.ProcessEnv): Address {
  if (uid === 0) return { kind: 'unix', path: '/run/btfd/btfd.sock' };
  const runtimeDir = env['XDG_RUNTIME_DIR'];
  // The XDG specification says to ignore a path that is not absolute.
  const hasRuntimeDir = runtimeDir !== undefined && isAbsolute(runtimeDir);
  const dir = hasRuntimeDir ? join(runtimeDir, 'btfd') : join(tmpdir(), `btfd-${uid}`);
  return { kind: 'unix', path: join(dir, 'btfd.sock') };
}
