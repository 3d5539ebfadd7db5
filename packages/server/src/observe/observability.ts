import { systemClock } from '../base/clock.js';
import { observeWith, type CallObserver } from '../grpc/interceptor/call-observer.js';
import { DEFAULT_LIMITS } from '../config/limits.js';
import { formatAddress, type TcpAddress } from '../base/address.js';
import { wasMissed } from '../base/load-estimate.js';
import type { LoadTimes } from '../kernel/load-queue.js';
import { unavailable } from '../kernel/unavailable.js';
import type { Services } from '../rpc/services.js';
import type { FdRequestEnd } from '../handle/fd-requests.js';
import type { UnknownListener } from '../source/spec-source.js';
import { auditBudget, auditFd, auditLog } from './audit-log.js';
import { callBudget, callLog } from './call-log.js';
import { callTraces } from './call-traces.js';
import { MissedEstimates } from './missed-estimates.js';
import { DaemonMetrics, type MetricSources } from './daemon-metrics.js';
import type { LineBudget } from './line-budget.js';
import type { ObservabilityOptions } from './observability-options.js';
import { OperationsServer } from './operations-server.js';
import { UnknownParts } from './unknown-parts.js';

/** Observability makes logs, traces and, if they are served, metrics of a daemon. */
export class Observability {
  readonly #options: ObservabilityOptions;
  readonly #metrics: DaemonMetrics | null;
  /** Observes every call of every service. */
  readonly observer: CallObserver;
  /** Why the daemon accepts no calls now; null while it accepts them. */
  #notReady: string | null = 'the daemon is starting';
  /** The operations that do not work on this machine, with the reasons; null if all work. */
  #limits: string | null = null;
  #server: OperationsServer | null = null;
  readonly #missed: MissedEstimates;
  readonly #unknown: UnknownParts;
  readonly #budgets: readonly LineBudget[];
  readonly #audit: LineBudget;

  private constructor(options: ObservabilityOptions, metrics: DaemonMetrics | null) {
    this.#options = options;
    this.#metrics = metrics;
    const { logger, limits } = options;
    const most = limits?.maxLogLines ?? DEFAULT_LIMITS.maxLogLines;
    const calls = callBudget(logger, most, systemClock);
    // All of these calls fail for the same reason, which is not their callers' fault.
    const outOfFiles = callBudget(logger, 1, systemClock);
    const audit = auditBudget(logger, most, systemClock);
    this.#missed = new MissedEstimates(logger, systemClock);
    this.#unknown = new UnknownParts(logger, systemClock);
    this.#budgets = [calls, outOfFiles, audit, this.#missed.budget, this.#unknown.budget];
    this.#audit = audit;
    this.observer = observeWith([
      callTraces,
      callLog(logger, calls, outOfFiles),
      auditLog(logger, audit),
      ...(metrics === null ? [] : [metrics.calls]),
    ]);
  }

  /**
   * Starts to serve metrics and probes. Until `serving` the daemon is not ready.
   *
   * @throws Error if metrics are required and their address cannot be used.
   */
  static async start(options: ObservabilityOptions): Promise<Observability> {
    const { metricsAddress = null, metricsRequired = true, logger } = options;
    if (metricsAddress === null) return new Observability(options, null);
    const metrics = new DaemonMetrics();
    const self = new Observability(options, metrics);
    try {
      self.#server = await OperationsServer.open(metricsAddress, {
        metrics: async () => {
          await metrics.registry.addProcessMetrics();
          return metrics.registry.text();
        },
        metricsType: metrics.registry.contentType,
        notReady: () => self.#notReady,
        limits: () => self.#limits,
      });
    } catch (err) {
      if (metricsRequired) throw err;
      logger.warn({ err, address: formatAddress(metricsAddress) }, 'cannot serve metrics');
      return new Observability(options, null);
    }
    if (self.#server.isPublic) {
      const address = formatAddress(self.#server.address);
      logger.warn(
        { address },
        'metrics are served to every machine that can connect, without authentication',
      );
    }
    return self;
  }

  /** The address of metrics, with the actual port instead of port 0; null if they are not served. */
  get metricsAddress(): TcpAddress | null {
    return this.#server?.address ?? null;
  }

  /** Notes a load that reached the kernel. */
  readonly onLoad = (times: LoadTimes): void => {
    this.#metrics?.onLoad(times);
    if (wasMissed(times)) this.#missed.note(times);
  };

  /** Notes an object whose BTF has parts that the daemon does not know. */
  readonly onUnknown: UnknownListener = (info, digest, notes) => this.#unknown.note(info, digest, notes);

  /** Notes that the daemon accepts calls. */
  serving(services: Services, sources: Omit<MetricSources, 'droppedLogLines'>): void {
    this.#metrics?.read(services, {
      ...sources,
      droppedLogLines: this.#options.droppedLogLines ?? (() => 0),
    });
    const limits = unavailable(services.access).map(({ what, why }) => `not ${what}: ${why.message}`);
    this.#limits = limits.length === 0 ? null : limits.join('; ');
    this.#notReady = null;
  }

  /** Notes that the daemon accepts no more calls. */
  draining(): void {
    this.#notReady = 'the daemon is draining';
  }

  /** Notes a request for a file descriptor that has ended. */
  fdRequested(end: FdRequestEnd): void {
    auditFd(this.#options.logger, this.#audit, end);
  }

  /** Stops serving over HTTP, and logs the counts of lines that were left out. */
  async stop(): Promise<void> {
    for (const budget of this.#budgets) budget.flush();
    await this.#server?.close();
  }
}
