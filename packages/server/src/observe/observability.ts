import type { Logger } from 'pino';
import { systemClock } from '../base/clock.js';
import { observeWith, type CallObserver } from '../grpc/interceptor/call-observer.js';
import { DEFAULT_LIMITS, type Limits } from '../config/limits.js';
import { formatAddress, type TcpAddress } from '../base/address.js';
import type { LoadTimes } from '../kernel/load-queue.js';
import type { Services } from '../rpc/services.js';
import { auditBudget, auditLog } from './audit-log.js';
import { callBudget, callLog } from './call-log.js';
import { callTraces } from './call-traces.js';
import { DaemonMetrics, type MetricSources } from './daemon-metrics.js';
import type { LineBudget } from './line-budget.js';
import { OperationsServer } from './operations-server.js';

/** ObservabilityOptions say what of the daemon is told, and where. */
export interface ObservabilityOptions {
  readonly logger: Logger;
  /** Where metrics and probes are served over HTTP; null or absent serves none. */
  readonly metricsAddress?: TcpAddress | null;
  /** Whether not being able to listen there is an error, as by default, or but a warning. */
  readonly metricsRequired?: boolean;
  /** Log lines that were dropped so far. */
  readonly droppedLogLines?: () => number;
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<Pick<Limits, 'maxLogLines'>>;
}

/** Observability is what operators see of a daemon: logs, traces and, where they are served, metrics. */
export class Observability {
  readonly #options: ObservabilityOptions;
  readonly #metrics: DaemonMetrics | null;
  /** Gets every call of every service. */
  readonly observer: CallObserver;
  /** Why the daemon takes no calls, or null while it does. */
  #notReady: string | null = 'the daemon is starting';
  #server: OperationsServer | null = null;
  readonly #budgets: readonly LineBudget[];

  private constructor(options: ObservabilityOptions, metrics: DaemonMetrics | null) {
    this.#options = options;
    this.#metrics = metrics;
    const { logger, limits } = options;
    const most = limits?.maxLogLines ?? DEFAULT_LIMITS.maxLogLines;
    const calls = callBudget(logger, most, systemClock);
    const audit = auditBudget(logger, most, systemClock);
    this.#budgets = [calls, audit];
    this.observer = observeWith([
      callTraces,
      callLog(logger, calls),
      auditLog(logger, audit),
      ...(metrics === null ? [] : [metrics.calls]),
    ]);
  }

  /**
   * Starts to observe, and to answer probes: that the daemon isn't ready yet.
   *
   * @throws the error of the socket if metrics are required and can't be served.
   */
  static async start(options: ObservabilityOptions): Promise<Observability> {
    const { metricsAddress = null, metricsRequired = true, logger } = options;
    if (metricsAddress === null) return new Observability(options, null);
    const metrics = new DaemonMetrics();
    const self = new Observability(options, metrics);
    try {
      self.#server = await OperationsServer.open(metricsAddress, {
        metrics: async () => metrics.registry.text(),
        metricsType: metrics.registry.contentType,
        notReady: () => self.#notReady,
      });
    } catch (err) {
      if (metricsRequired) throw err;
      logger.warn({ err, address: formatAddress(metricsAddress) }, 'cannot serve metrics');
      return new Observability(options, null);
    }
    metrics.registry.addProcessMetrics();
    return self;
  }

  /** Where metrics are served, with the port that was chosen for port 0; null where they aren't. */
  get metricsAddress(): TcpAddress | null {
    return this.#server?.address ?? null;
  }

  /** Takes note of a load that the kernel was asked for. */
  readonly onLoad = (times: LoadTimes): void => this.#metrics?.onLoad(times);

  /** Takes note that the daemon serves. */
  serving(services: Services, sources: Omit<MetricSources, 'droppedLogLines'>): void {
    this.#metrics?.read(services, {
      ...sources,
      droppedLogLines: this.#options.droppedLogLines ?? (() => 0),
    });
    this.#notReady = null;
  }

  /** Takes note that the daemon takes no more calls. */
  draining(): void {
    this.#notReady = 'the daemon is draining';
  }

  /** Ends what is served over HTTP, and logs what was left out. */
  async stop(): Promise<void> {
    for (const budget of this.#budgets) budget.flush();
    await this.#server?.close();
  }
}
