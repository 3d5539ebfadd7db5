import { ErrorReason } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import type { CallEnd, CallInfo, CallObserver } from '../grpc/interceptor/call-observer.js';
import { codeName, reasonName } from '../error/error-table.js';
import type { MetricRegistry } from './metric-registry.js';

/** rpcMetrics counts calls in metrics. */
export function rpcMetrics(registry: MetricRegistry): CallObserver {
  const calls = registry.counter('btfd_rpc_calls_total');
  const durations = registry.histogram('btfd_rpc_duration_seconds');
  const inFlight = registry.gauge('btfd_rpc_in_flight');
  const sentMessages = registry.counter('btfd_rpc_sent_messages_total');
  const sentBytes = registry.counter('btfd_rpc_sent_bytes_total');
  const receivedBytes = registry.counter('btfd_rpc_received_bytes_total');
  const loads = registry.counter('btfd_loads_total');
  return {
    begin(call) {
      const { service, method } = call;
      const rpc = { service, method };
      inFlight.inc(rpc);
      return {
        end(end) {
          const code = codeName(end.code);
          inFlight.dec(rpc);
          calls.inc({ service, method, code, reason: reasonName(end.reason) });
          durations.observe({ service, method, code }, end.durationMs / 1000);
          sentMessages.inc(rpc, end.sentMessages);
          sentBytes.inc(rpc, end.sentBytes);
          receivedBytes.inc(rpc, end.receivedBytes);
          if (method === 'LoadHandle') loads.inc(loadResult(call, end));
        },
      };
    },
  };
}

/** Returns the result of a load. If it has no reason, its code stands in for one, such as CANCELLED. */
function loadResult({ facts }: CallInfo, { code, reason }: CallEnd): { result: string; reason: string } {
  if (facts.rejected === true || reason === ErrorReason.VERIFIER_REJECTED) {
    return { result: 'rejected', reason: reasonName(ErrorReason.VERIFIER_REJECTED) };
  }
  if (code === status.OK) return { result: 'loaded', reason: '' };
  return { result: 'refused', reason: reasonName(reason) || codeName(code) };
}
