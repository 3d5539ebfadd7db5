/** MetricEntry says what a metric is. */
export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Ends without a dot, as Prometheus shows it. */
  readonly help: string;
  /** Every label has few values, none of which a client chooses. */
  readonly labels: readonly string[];
  /** Upper bounds, of a histogram. */
  readonly buckets?: readonly number[];
}

/** From what a call takes at least to what a person waits for. */
const CALL_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** The kernel takes some 10 µs for a small BTF, 50 ms for a vmlinux, and seconds for hostile ones. */
const LOAD_SECONDS = [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];

const RPC = ['service', 'method'] as const;

/** METRICS are the daemon's own metrics. What it registers and docs/metrics.md are made from this table. */
export const METRICS = {
  btfd_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels tell the versions of btfd and Node and the release of the kernel',
    labels: ['version', 'node_version', 'kernel_release'],
  },
  btfd_rpc_calls_total: {
    type: 'counter',
    help: 'Calls that ended, by gRPC code and, where the client was told one, ErrorReason',
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
    help: 'Calls, streams included, that have begun and not ended',
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
  btfd_connections: { type: 'gauge', help: 'Connections of clients that are open', labels: ['transport'] },
  btfd_connections_refused_total: {
    type: 'counter',
    help: 'Connections not served: for a quota, or because the handshake of TLS failed',
    labels: ['cause'],
  },
  btfd_tls_certificate_not_after_timestamp_seconds: {
    type: 'gauge',
    help: 'When the certificate of the daemon ends, since 1970; without TLS there is none',
    labels: [],
  },
  btfd_handles: {
    type: 'gauge',
    help: 'Handles that are open, by origin of the object and by what holds them: a lease or a stream',
    labels: ['origin', 'holder'],
  },
  btfd_held_btf_bytes: {
    type: 'gauge',
    help: 'Bytes of raw BTF that handles name, counted for each handle',
    labels: ['origin'],
  },
  btfd_leases_granted_total: { type: 'counter', help: 'Leases granted to handles', labels: [] },
  btfd_leases_ended_total: {
    type: 'counter',
    help: 'Leases that ended, because they expired or because their handle was closed',
    labels: ['cause'],
  },
  btfd_loads_total: {
    type: 'counter',
    help: 'Calls of LoadHandle by result: loaded, rejected by the verifier, or refused for another reason',
    labels: ['result', 'reason'],
  },
  btfd_load_queue_length: { type: 'gauge', help: 'Loads that wait for the kernel', labels: [] },
  btfd_load_queue_bytes: { type: 'gauge', help: 'Bytes of BTF of the loads that wait', labels: [] },
  btfd_load_running: { type: 'gauge', help: '1 while the kernel checks a load, otherwise 0', labels: [] },
  btfd_load_wait_seconds: {
    type: 'histogram',
    help: 'Time that loads waited for the kernel before theirs began',
    labels: [],
    buckets: LOAD_SECONDS,
  },
  btfd_load_duration_seconds: {
    type: 'histogram',
    help: 'Time that the kernel took for a load, whatever came of it',
    labels: [],
    buckets: LOAD_SECONDS,
  },
  btfd_spec_cache_hits_total: {
    type: 'counter',
    help: 'Specs that were in the cache, or being read for another call already',
    labels: [],
  },
  btfd_spec_cache_misses_total: {
    type: 'counter',
    help: 'Specs that were read from the kernel or a file',
    labels: [],
  },
  btfd_spec_cache_bytes: { type: 'gauge', help: 'Bytes that cached specs take', labels: [] },
  btfd_spec_cache_entries: { type: 'gauge', help: 'Specs in the cache', labels: [] },
  btfd_log_lines_dropped_total: {
    type: 'counter',
    help: 'Log lines dropped because nobody read standard error fast enough, or it was closed',
    labels: [],
  },
} as const satisfies Readonly<Record<`btfd_${string}`, MetricEntry>>;

/** MetricName names a metric of the table. */
export type MetricName = keyof typeof METRICS;

/** MetricOf are the names of the metrics of a type. */
export type MetricOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
