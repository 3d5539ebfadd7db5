import type { Clock, Timer } from '../base/clock.js';

/** ServiceManagerOptions are the environment of the process and the means to send messages. */
export interface ServiceManagerOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  readonly clock: Clock;
  /** Sends a datagram to a unix socket. */
  readonly send: (address: string, text: string) => void;
  /** Called with the error if a message cannot be sent. The daemon continues. */
  readonly onError: (error: unknown) => void;
}

/**
 * ServiceManager reports the state of the daemon to systemd, as sd_notify(3) does for units with `Type=notify`. Without
 * `NOTIFY_SOCKET` in the environment it does nothing.
 */
export class ServiceManager {
  readonly #address: string | null;
  readonly #watchdogMs: number | null;
  #watchdog: Timer | null = null;
  #status = '';
  readonly #options: ServiceManagerOptions;

  /** Removes its variables from the environment, so that child processes do not use them. */
  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    const { env, pid } = options;
    this.#address = take(env, 'NOTIFY_SOCKET') ?? null;
    const interval = Number(take(env, 'WATCHDOG_USEC'));
    const owner = take(env, 'WATCHDOG_PID');
    const isOurs = owner === undefined || owner === String(pid);
    this.#watchdogMs = isOurs && interval > 0 ? interval / 1000 : null;
  }

  /** ready reports that the daemon serves. */
  ready(status: string): void {
    this.#status = status;
    this.#report('READY=1', `STATUS=${status}`);
    this.#scheduleWatchdog();
  }

  /** reloading reports that the daemon reads its files again, until `reloaded`. */
  reloading(): void {
    // systemd 253 and later distinguish reloads by this time of CLOCK_MONOTONIC.
    const now = process.hrtime.bigint() / 1000n;
    this.#report('RELOADING=1', `MONOTONIC_USEC=${now}`, 'STATUS=reading the settings again');
  }

  /** reloaded reports that the files were read. */
  reloaded(): void {
    this.#report('READY=1', `STATUS=${this.#status}`);
  }

  /** stopping reports that the daemon waits for calls in flight before it ends. */
  stopping(): void {
    this.#watchdog?.cancel();
    this.#watchdog = null;
    this.#report('STOPPING=1', 'STATUS=waiting for calls in flight');
  }

  /** Reports at half of each interval. If the event loop hangs for a whole interval, systemd ends the process. */
  #scheduleWatchdog(): void {
    if (this.#address === null || this.#watchdogMs === null) return;
    this.#watchdog = this.#options.clock.after(this.#watchdogMs / 2, () => {
      this.#report('WATCHDOG=1');
      this.#scheduleWatchdog();
    });
  }

  #report(...lines: readonly string[]): void {
    if (this.#address === null) return;
    try {
      this.#options.send(this.#address, lines.join('\n'));
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

function take(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name];
  delete env[name];
  return value;
}
