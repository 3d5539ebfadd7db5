import type { Clock, Timer } from '../base/clock.js';

/** ServiceManagerOptions are what telling systemd needs. */
export interface ServiceManagerOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  readonly clock: Clock;
  /** Sends a datagram to a unix socket. */
  readonly send: (address: string, text: string) => void;
  /** Takes what can't be sent: that is no reason to end. */
  readonly onError: (error: unknown) => void;
}

/**
 * ServiceManager tells systemd how the daemon is, as sd_notify(3) does for units with `Type=notify`. Without a
 * service manager (`NOTIFY_SOCKET` is not set) nothing is told.
 */
export class ServiceManager {
  private readonly address: string | null;
  private readonly watchdogMs: number | null;
  private watchdog: Timer | null = null;
  private status = '';

  /** Takes its variables out of the environment, so that no other program takes them for its own. */
  constructor(private readonly options: ServiceManagerOptions) {
    const { env, pid } = options;
    this.address = take(env, 'NOTIFY_SOCKET') ?? null;
    const interval = Number(take(env, 'WATCHDOG_USEC'));
    const owner = take(env, 'WATCHDOG_PID');
    const isOurs = owner === undefined || owner === String(pid);
    this.watchdogMs = isOurs && interval > 0 ? interval / 1000 : null;
  }

  /** Serving, from now on. */
  ready(status: string): void {
    this.status = status;
    this.tell('READY=1', `STATUS=${status}`);
    this.scheduleWatchdog();
  }

  /** Reads its files again, until `reloaded`. */
  reloading(): void {
    // Since systemd 253 the time tells this reload from one before it. The clock is CLOCK_MONOTONIC.
    const now = process.hrtime.bigint() / 1000n;
    this.tell('RELOADING=1', `MONOTONIC_USEC=${now}`, 'STATUS=reading the settings again');
  }

  /** The files are read. */
  reloaded(): void {
    this.tell('READY=1', `STATUS=${this.status}`);
  }

  /** Ends; calls in flight may go on until the drain's deadline. */
  stopping(): void {
    this.watchdog?.cancel();
    this.watchdog = null;
    this.tell('STOPPING=1', 'STATUS=waiting for calls in flight');
  }

  /** An event loop that hangs for the whole interval tells nothing, and systemd ends the process. */
  private scheduleWatchdog(): void {
    if (this.address === null || this.watchdogMs === null) return;
    this.watchdog = this.options.clock.after(this.watchdogMs / 2, () => {
      this.tell('WATCHDOG=1');
      this.scheduleWatchdog();
    });
  }

  private tell(...lines: readonly string[]): void {
    if (this.address === null) return;
    try {
      this.options.send(this.address, lines.join('\n'));
    } catch (error) {
      this.options.onError(error);
    }
  }
}

function take(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name];
  delete env[name];
  return value;
}
