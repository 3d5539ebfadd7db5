import { cpuUsage } from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricEntry, type MetricName, type MetricOf } from './metric-table.js';

/** How often the timer of prom-client measures the event loop. This is its default. */
const PRECISION_MS = 10;

/** Reading is a value of a metric that is read when metrics are requested. */
export interface Reading {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** MetricRegistry creates the metrics of the table, and writes them in Prometheus's text format. */
export class MetricRegistry {
  readonly #registry = new Registry();
  #processMetrics: Promise<void> | null = null;
  #writing: Promise<string> | null = null;

  /** The HTTP content type of the text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  counter(name: MetricOf<'counter'>): Counter {
    return new Counter(this.#configuration(name));
  }

  gauge(name: MetricOf<'gauge'>): Gauge {
    return new Gauge(this.#configuration(name));
  }

  histogram(name: MetricOf<'histogram'>): Histogram {
    return new Histogram({ ...this.#configuration(name), buckets: [...METRICS[name].buckets] });
  }

  /** Makes a counter that is read when metrics are requested, so that its source needs to know nothing of metrics. */
  readCounter(name: MetricOf<'counter'>, read: () => Iterable<Reading>): void {
    void new Counter({
      ...this.#configuration(name),
      collect() {
        this.reset();
        for (const { labels = {}, value } of read()) this.inc(labels, value);
      },
    });
  }

  /** Makes a gauge that is read when metrics are requested. `read` must not reject. */
  readGauge(name: MetricOf<'gauge'>, read: () => Iterable<Reading> | Promise<Iterable<Reading>>): void {
    void new Gauge({
      ...this.#configuration(name),
      async collect() {
        const readings = await read();
        this.reset();
        for (const { labels = {}, value } of readings) this.set(labels, value);
      },
    });
  }

  /**
   * Adds prom-client's metrics of the process, Node and its event loop, and waits until they have values. They cannot be removed
   * again: from then on, a timer wakes the process a hundred times a second to measure how late it is.
   */
  async addProcessMetrics(): Promise<void> {
    this.#processMetrics ??= this.#measureProcess();
    await this.#processMetrics;
  }

  async #measureProcess(): Promise<void> {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: PRECISION_MS });
    this.#countEarlierCpuTime();
    // The timer of prom-client measures the time from one turn to the next. It fires before these do.
    for (let turn = 0; turn < 2; turn++) await setTimeout(2 * PRECISION_MS);
  }

  /** prom-client counts the CPU time from now on, and its metrics are those of the whole process. */
  #countEarlierCpuTime(): void {
    const { user, system } = cpuUsage();
    const micros = {
      process_cpu_user_seconds_total: user,
      process_cpu_system_seconds_total: system,
      process_cpu_seconds_total: user + system,
    };
    for (const [name, value] of Object.entries(micros)) {
      const metric = this.#registry.getSingleMetric(name);
      if (metric instanceof Counter) metric.inc(value / 1e6);
    }
  }

  /** Returns all metrics as text. Requests that arrive while it is made share it. */
  async text(): Promise<string> {
    this.#writing ??= this.#registry.metrics().finally(() => (this.#writing = null));
    return this.#writing;
  }

  #configuration(name: MetricName): {
    name: string;
    help: string;
    labelNames: string[];
    registers: Registry[];
  } {
    const { help, labels }: MetricEntry = METRICS[name];
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}
