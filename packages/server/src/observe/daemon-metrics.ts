import { machine, release } from 'node:os';
import { Origin } from '@btfd/api';
import type { CallObserver } from '../grpc/interceptor/call-observer.js';
import { originOf } from '../kernel/origin.js';
import type { Reload } from '../listen/admission.js';
import type { LoadTimes } from '../kernel/load-queue.js';
import type { Services } from '../rpc/services.js';
import { estimateRatio } from '../base/load-estimate.js';
import { VERSION } from '../base/version.js';
import { wait } from '../base/wait.js';
import type { WorkerUsage } from '../pool/worker-pool.js';
import { MetricRegistry, type Reading } from './metric-registry.js';
import { rpcMetrics } from './rpc-metrics.js';

/** MetricSources are what metrics are read from, except the services. */
export interface MetricSources {
  /** The number of open connections, by transport. */
  readonly connections: () => Iterable<{ readonly transport: string; readonly count: number }>;
  /** The number of connections that were not served, by cause. */
  readonly refusedConnections: () => Iterable<{ readonly cause: string; readonly count: number }>;
  /** The number of connections that were ended because of their calls. */
  readonly endedConnections: () => number;
  /** When the daemon's certificate expires; null if it has none. */
  readonly certificateEnd: () => Date | null;
  /** The last reads of the files that the daemon reads again when they change. */
  readonly reloads: () => Iterable<Reload>;
  /** The state of the worker threads. */
  readonly workers: () => WorkerUsage;
  /** The number of log lines that were dropped. */
  readonly droppedLogLines: () => number;
}

/** Reading a vmlinux takes some 20 ms once. */
const MAX_DIGEST_MS = 1_000;

/** DaemonMetrics are the metrics of a daemon. */
export class DaemonMetrics {
  readonly registry = new MetricRegistry();
  readonly calls: CallObserver = rpcMetrics(this.registry);
  readonly #loadWaits = this.registry.histogram('btfd_load_wait_seconds');
  readonly #loadDurations = this.registry.histogram('btfd_load_duration_seconds');
  readonly #estimateRatios = this.registry.histogram('btfd_load_estimate_ratio');
  /** The digest is the last that could be read. It is empty before the services are there. */
  readonly #labels = {
    version: VERSION,
    node_version: process.version,
    kernel_release: release(),
    machine: machine(),
    kernel_digest: '',
  };
  #build: Services['build'] | null = null;

  constructor() {
    this.registry.readGauge('btfd_build_info', async () => {
      await this.#refreshDigest();
      return [{ labels: { ...this.#labels }, value: 1 }];
    });
  }

  /** Notes a load that reached the kernel. */
  readonly onLoad = (times: LoadTimes): void => {
    this.#loadWaits.observe(times.waitedMs / 1000);
    this.#loadDurations.observe(times.tookMs / 1000);
    this.#estimateRatios.observe(estimateRatio(times));
  };

  /** Adds the metrics that are read from the services. */
  read(services: Services, sources: MetricSources): void {
    this.#build = services.build;
    this.#readConnections(sources);
    this.#readHandles(services);
    this.#readWork(services, sources);
    this.registry.readCounter('btfd_log_lines_dropped_total', () => one(sources.droppedLogLines()));
  }

  #readConnections(sources: MetricSources): void {
    const { connections, refusedConnections, endedConnections, certificateEnd, reloads } = sources;
    const { registry } = this;
    registry.readGauge('btfd_connections', function* () {
      for (const { transport, count } of connections()) yield { labels: { transport }, value: count };
    });
    registry.readCounter('btfd_connections_refused_total', function* () {
      for (const { cause, count } of refusedConnections()) yield { labels: { cause }, value: count };
    });
    registry.readCounter('btfd_connections_ended_total', () => one(endedConnections()));
    registry.readGauge('btfd_tls_certificate_not_after_timestamp_seconds', () => {
      const end = certificateEnd();
      return end === null ? [] : one(end.getTime() / 1000);
    });
    registry.readGauge('btfd_last_reload_successful', function* () {
      for (const { files, isGood } of reloads()) yield { labels: { files }, value: isGood ? 1 : 0 };
    });
    registry.readGauge('btfd_last_reload_success_timestamp_seconds', function* () {
      for (const { files, lastGood } of reloads())
        yield { labels: { files }, value: lastGood.getTime() / 1000 };
    });
  }

  #readHandles({ handles, quotas, watch }: Services): void {
    const { registry } = this;
    registry.readGauge('btfd_handles', function* () {
      for (const { origin, leased, streamed } of heldByOrigin(handles)) {
        yield { labels: { origin, holder: 'lease' }, value: leased };
        yield { labels: { origin, holder: 'stream' }, value: streamed };
      }
    });
    registry.readGauge('btfd_held_btf_bytes', function* () {
      for (const { origin, bytes } of heldByOrigin(handles)) yield { labels: { origin }, value: bytes };
    });
    registry.readCounter('btfd_leases_granted_total', () => one(handles.leases.granted));
    registry.readCounter('btfd_leases_ended_total', () => [
      { labels: { cause: 'expired' }, value: handles.leases.expired },
      { labels: { cause: 'closed' }, value: handles.leases.closed },
    ]);
    const all = Object.values(quotas);
    registry.readGauge('btfd_quota_used', function* () {
      for (const { name: quota, inUse: value } of all) yield { labels: { quota }, value };
    });
    registry.readGauge('btfd_quota_limit', function* () {
      for (const { name: quota, limit: value } of all) {
        if (value !== Infinity) yield { labels: { quota }, value };
      }
    });
    registry.readGauge('btfd_watchers', () => one(watch.watchers));
  }

  #readWork({ loads, specs, quotas }: Services, { workers }: MetricSources): void {
    const { registry } = this;
    registry.readGauge('btfd_workers', () => {
      const { busy, idle } = workers();
      return [
        { labels: { state: 'busy' }, value: busy },
        { labels: { state: 'idle' }, value: idle },
      ];
    });
    registry.readCounter('btfd_workers_replaced_total', () => one(workers().broken));
    registry.readGauge('btfd_jobs_waiting', () => {
      const { waitingChecks, waitingJobs } = workers();
      return [
        { labels: { kind: 'check' }, value: waitingChecks },
        { labels: { kind: 'other' }, value: waitingJobs },
      ];
    });
    registry.readGauge('btfd_object_bytes', () => one(quotas.objectBytes.inUse));
    registry.readGauge('btfd_load_queue_length', () => one(loads.queue.length));
    registry.readGauge('btfd_load_queue_bytes', () => one(loads.queue.bytes));
    registry.readGauge('btfd_load_running', () => one(loads.queue.running ? 1 : 0));
    registry.readCounter('btfd_spec_cache_hits_total', () => one(specs.cacheStats.hits));
    registry.readCounter('btfd_spec_cache_misses_total', () => one(specs.cacheStats.misses));
    registry.readGauge('btfd_spec_cache_bytes', () => one(specs.cacheStats.bytes));
    registry.readGauge('btfd_spec_cache_entries', () => one(specs.cacheStats.entries));
  }

  /** Reads the kernel's digest again. A file system that hangs must not keep all other metrics from being served. */
  async #refreshDigest(): Promise<void> {
    await wait((done) => void this.#readDigest(done), { ms: MAX_DIGEST_MS });
  }

  async #readDigest(done: () => void): Promise<void> {
    try {
      const digest = await this.#build?.kernelDigest();
      if (digest !== undefined) this.#labels.kernel_digest = Buffer.from(digest).toString('hex');
    } catch {
      // The label keeps the last one.
    }
    done();
  }
}

const ORIGIN_LABELS = new Map([
  [Origin.VMLINUX, 'vmlinux'],
  [Origin.MODULE, 'module'],
  [Origin.KERNEL_OTHER, 'kernel_other'],
  [Origin.USER, 'user'],
]);

interface HeldOfOrigin {
  readonly origin: string;
  leased: number;
  streamed: number;
  bytes: number;
}

/** Lists every origin, so that a series does not vanish with its last handle. */
function heldByOrigin(handles: Services['handles']): Iterable<HeldOfOrigin> {
  const all = new Map<Origin, HeldOfOrigin>();
  for (const [origin, label] of ORIGIN_LABELS) {
    all.set(origin, { origin: label, leased: 0, streamed: 0, bytes: 0 });
  }
  for (const { info, lease } of handles.all()) {
    const sum = all.get(originOf(info));
    if (sum === undefined) continue;
    if (lease === null) sum.streamed += 1;
    else sum.leased += 1;
    sum.bytes += info.size;
  }
  return all.values();
}

function one(value: number): Reading[] {
  return [{ value }];
}
