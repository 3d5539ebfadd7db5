import type { MetricSources } from '../observe/daemon-metrics.js';

/** NO_SOURCES are the sources of the metrics of a daemon that has done nothing. */
export const NO_SOURCES: MetricSources = {
  connections: () => [],
  refusedConnections: () => [],
  endedConnections: () => 0,
  certificateEnd: () => null,
  reloads: () => [],
  workers: () => ({ busy: 0, idle: 0, waitingChecks: 0, waitingJobs: 0, broken: 0 }),
  droppedLogLines: () => 0,
};
