import { ErrorReason } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import type { CallEnd, CallInfo, CallObserver } from '../grpc/interceptor/call-observer.js';
import { codeName, reasonName } from '../error/error-table.js';
import type { MetricRegistry, Reading } from './metric-registry.js';

type Labels = Readonly<Record<string, string>>;

/** EndCount is the number of calls of a method that ended in the same way. */
interface EndCount {
  readonly labels: Labels;
  /** The labels of the durations, which do not have the reason. */
  readonly durationLabels: Labels;
  count: number;
}

/** MethodCounts are the sums over the calls of a method. */
interface MethodCounts {
  readonly rpc: { readonly service: string; readonly method: string };
  inFlight: number;
  sentMessages: number;
  sentBytes: number;
  receivedBytes: number;
  readonly ends: Map<status, Map<ErrorReason | null, EndCount>>;
}

/** rpcMetrics counts calls. The metrics are made of the sums when they are requested: prom-client looks up labels each time. */
export function rpcMetrics(registry: MetricRegistry): CallObserver {
  const methods = new Map<string, MethodCounts>();
  const durations = registry.histogram('btfd_rpc_duration_seconds');
  const loads = registry.counter('btfd_loads_total');
  const checks = registry.counter('btfd_object_checks_total');
  registry.readGauge('btfd_rpc_in_flight', () => readings(methods.values(), ({ inFlight }) => inFlight));
  registry.readCounter('btfd_rpc_calls_total', function* () {
    for (const { labels, count } of endCounts(methods)) yield { labels, value: count };
  });
  const ended = (): MethodCounts[] => [...methods.values()].filter(({ ends }) => ends.size > 0);
  registry.readCounter('btfd_rpc_sent_messages_total', () => readings(ended(), (each) => each.sentMessages));
  registry.readCounter('btfd_rpc_sent_bytes_total', () => readings(ended(), (each) => each.sentBytes));
  registry.readCounter('btfd_rpc_received_bytes_total', () =>
    readings(ended(), (each) => each.receivedBytes),
  );
  return {
    begin(call) {
      const counts = countsOf(methods, call);
      counts.inFlight += 1;
      return {
        end(end) {
          counts.inFlight -= 1;
          counts.sentMessages += end.sentMessages;
          counts.sentBytes += end.sentBytes;
          counts.receivedBytes += end.receivedBytes;
          const endCount = endCountOf(counts, end);
          endCount.count += 1;
          durations.observe(endCount.durationLabels, end.durationMs / 1000);
          if (call.method === 'LoadHandle') loads.inc(loadResult(call, end));
          const { verdict } = call.facts;
          if (verdict !== undefined) checks.inc({ verdict });
        },
      };
    },
  };
}

/** Methods have few names: all that are not served have the same. */
function countsOf(methods: Map<string, MethodCounts>, { service, method }: CallInfo): MethodCounts {
  // Two services may have a method of the same name.
  const key = `${service}/${method}`;
  const known = methods.get(key);
  if (known !== undefined) return known;
  const rpc = { service, method };
  const counts = { rpc, inFlight: 0, sentMessages: 0, sentBytes: 0, receivedBytes: 0, ends: new Map() };
  methods.set(key, counts);
  return counts;
}

function endCountOf({ rpc, ends }: MethodCounts, { code, reason }: CallEnd): EndCount {
  const byReason = ends.get(code) ?? new Map<ErrorReason | null, EndCount>();
  ends.set(code, byReason);
  const known = byReason.get(reason);
  if (known !== undefined) return known;
  const durationLabels = { ...rpc, code: codeName(code) };
  const labels = { ...durationLabels, reason: reasonName(reason) };
  const count = { labels, durationLabels, count: 0 };
  byReason.set(reason, count);
  return count;
}

function* endCounts(methods: ReadonlyMap<string, MethodCounts>): Iterable<EndCount> {
  for (const { ends } of methods.values()) for (const byReason of ends.values()) yield* byReason.values();
}

function* readings(
  methods: Iterable<MethodCounts>,
  read: (counts: MethodCounts) => number,
): Iterable<Reading> {
  for (const counts of methods) yield { labels: counts.rpc, value: read(counts) };
}

/** Returns the result of a load. If it has no reason, its code stands in for one, such as CANCELLED. */
function loadResult({ facts }: CallInfo, { code, reason }: CallEnd): { result: string; reason: string } {
  if (facts.rejected === true || reason === ErrorReason.VERIFIER_REJECTED) {
    return { result: 'rejected', reason: reasonName(ErrorReason.VERIFIER_REJECTED) };
  }
  if (code === status.OK) return { result: 'loaded', reason: '' };
  return { result: 'refused', reason: reasonName(reason) || codeName(code) };
}
