/** MetricEntry describes a metric. */
export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Has no full stop at its end, as is usual in Prometheus. */
  readonly help: string;
  /** Each label has few values, and clients choose none of them. */
  readonly labels: readonly string[];
  /** Upper bounds, of a histogram. */
  readonly buckets?: readonly number[];
}

/** From the shortest call to the longest that a person waits for. */
const CALL_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** The kernel takes some 10 µs for a small BTF, 50 ms for a vmlinux, and seconds for hostile ones. */
const LOAD_SECONDS = [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];
/** Estimates are meant to be somewhat high. A ratio above 5 means that the estimate misses a cost. */
const ESTIMATE_RATIOS = [0.01, 0.1, 0.25, 0.5, 1, 2, 5, 10, 100];

const RPC = ['service', 'method'] as const;

/** METRICS are the daemon's own metrics. The daemon and docs/metrics.md are made from this table. */
export const METRICS = {
  btfd_build_info: {
    type: 'gauge',
    help: 'Always 1. The labels are the versions of btfd and Node, the release and architecture of the kernel, and the SHA-256 of its BTF, which is empty if it has none',
    labels: ['version', 'node_version', 'kernel_release', 'machine', 'kernel_digest'],
  },
  btfd_rpc_calls_total: {
    type: 'counter',
    help: 'Calls that ended, by gRPC code and, if the client got one, ErrorReason',
    labels: [...RPC, 'code', 'reason'],
  },
  btfd_rpc_duration_seconds: {
    type: 'histogram',
    help: 'Time from a call’s metadata to its status',
    labels: [...RPC, 'code'],
    buckets: CALL_SECONDS,
  },
  btfd_rpc_in_flight: {
    type: 'gauge',
    help: 'Calls, including streams, that have begun and not ended',
    labels: RPC,
  },
  btfd_rpc_sent_messages_total: {
    type: 'counter',
    help: 'Messages sent by calls that ended',
    labels: RPC,
  },
  btfd_rpc_sent_bytes_total: {
    type: 'counter',
    help: 'Bytes of messages sent by calls of BtfService that ended',
    labels: RPC,
  },
  btfd_rpc_received_bytes_total: {
    type: 'counter',
    help: 'Bytes of requests received by calls of BtfService that ended',
    labels: RPC,
  },
  btfd_connections: { type: 'gauge', help: 'Open connections of clients', labels: ['transport'] },
  btfd_connections_refused_total: {
    type: 'counter',
    help: 'Connections not served, because of a quota or because the TLS handshake failed',
    labels: ['cause'],
  },
  btfd_connections_ended_total: {
    type: 'counter',
    help: 'Connections ended by the daemon because their calls were mostly reset or refused',
    labels: [],
  },
  btfd_tls_certificate_not_after_timestamp_seconds: {
    type: 'gauge',
    help: 'When the daemon’s certificate expires, since 1970; absent without TLS',
    labels: [],
  },
  btfd_handles: {
    type: 'gauge',
    help: 'Open handles, by origin of the object and by holder: a lease or a stream',
    labels: ['origin', 'holder'],
  },
  btfd_held_btf_bytes: {
    type: 'gauge',
    help: 'Bytes of raw BTF of open handles, counted for each handle',
    labels: ['origin'],
  },
  btfd_leases_granted_total: { type: 'counter', help: 'Leases granted to handles', labels: [] },
  btfd_leases_ended_total: {
    type: 'counter',
    help: 'Leases that ended, by cause: the lease expired, or the handle was closed',
    labels: ['cause'],
  },
  btfd_loads_total: {
    type: 'counter',
    help: 'Calls of LoadHandle by result: loaded, rejected by the kernel, or refused for another reason',
    labels: ['result', 'reason'],
  },
  btfd_object_checks_total: {
    type: 'counter',
    help: 'BPF objects that CheckObject has judged, by verdict',
    labels: ['verdict'],
  },
  btfd_object_bytes: {
    type: 'gauge',
    help: 'Bytes of BPF objects that are received or checked, as max-object counts them',
    labels: [],
  },
  btfd_load_queue_length: { type: 'gauge', help: 'Loads that wait for the kernel', labels: [] },
  btfd_load_queue_bytes: { type: 'gauge', help: 'Bytes of BTF of the loads that wait', labels: [] },
  btfd_load_running: { type: 'gauge', help: '1 while the kernel checks a load, otherwise 0', labels: [] },
  btfd_load_wait_seconds: {
    type: 'histogram',
    help: 'Time that loads waited for the kernel',
    labels: [],
    buckets: LOAD_SECONDS,
  },
  btfd_load_duration_seconds: {
    type: 'histogram',
    help: 'Time that the kernel took for a load, whatever the result',
    labels: [],
    buckets: LOAD_SECONDS,
  },
  btfd_load_estimate_ratio: {
    type: 'histogram',
    help: 'Time that the kernel took for a load, divided by the estimate before it. An estimate below 20 ms counts as 20 ms',
    labels: [],
    buckets: ESTIMATE_RATIOS,
  },
  btfd_workers: {
    type: 'gauge',
    help: 'Worker threads, by state: busy with a job, or idle until they end',
    labels: ['state'],
  },
  btfd_workers_replaced_total: {
    type: 'counter',
    help: 'Worker threads that were ended because a step took too much time or memory, or because they failed',
    labels: [],
  },
  btfd_jobs_waiting: {
    type: 'gauge',
    help: 'Jobs that wait because as many as allowed are being done, by kind: checks of BPF objects, and others',
    labels: ['kind'],
  },
  btfd_quota_used: {
    type: 'gauge',
    help: 'Amount of each quota that all callers have together. Quotas are those of the error QUOTA_EXCEEDED',
    labels: ['quota'],
  },
  btfd_quota_limit: {
    type: 'gauge',
    help: 'Amount of each quota that all callers may have together; absent for a quota that only limits each caller',
    labels: ['quota'],
  },
  btfd_watchers: { type: 'gauge', help: 'Calls of WatchHandles that are open', labels: [] },
  btfd_last_reload_successful: {
    type: 'gauge',
    help: '1 if the policy or the certificates could be used when they were last read, otherwise 0',
    labels: ['files'],
  },
  btfd_last_reload_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the policy or the certificates in force were read, since 1970',
    labels: ['files'],
  },
  btfd_spec_cache_hits_total: {
    type: 'counter',
    help: 'Specs that were in the cache, or already being read for another call',
    labels: [],
  },
  btfd_spec_cache_misses_total: {
    type: 'counter',
    help: 'Specs that were read from the kernel or a file',
    labels: [],
  },
  btfd_spec_cache_bytes: { type: 'gauge', help: 'Bytes of the specs in the cache', labels: [] },
  btfd_spec_cache_entries: { type: 'gauge', help: 'Specs in the cache', labels: [] },
  btfd_log_lines_dropped_total: {
    type: 'counter',
    help: 'Log lines dropped because standard error was not read fast enough, or was closed',
    labels: [],
  },
} as const satisfies Readonly<Record<`btfd_${string}`, MetricEntry>>;

/** MetricName names a metric of the table. */
export type MetricName = keyof typeof METRICS;

/** MetricOf are the names of the metrics of a type. */
export type MetricOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
