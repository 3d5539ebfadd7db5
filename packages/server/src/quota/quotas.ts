import type { Limits } from '../config/limits.js';
import { Quota } from './quota.js';

/** Quotas limit what each principal, and all of them together, may have at one time. */
export interface Quotas {
  /** Handles, including those that streams hold. Each is a file descriptor. */
  readonly handles: Quota;
  /** Bytes of users' BTF that handles keep in the kernel, which charges that memory to nobody. */
  readonly btfBytes: Quota;
  /** Unary calls in flight. */
  readonly calls: Quota;
  /** Streams in flight. */
  readonly streams: Quota;
  /** Calls of LoadHandle in flight: receiving their request, waiting for the kernel, or checked by it. */
  readonly loads: Quota;
  /** Bytes of BTF that calls read or send. They stay in memory even after the cache dropped them. */
  readonly specBytes: Quota;
  /** Bytes of BPF objects that calls of CheckObject have: while they arrive, wait for a thread, and are checked. */
  readonly objectBytes: Quota;
  /** Connections. */
  readonly connections: Quota;
}

/** The limits that quotas are made of. */
type QuotaLimitNames =
  | 'maxLoadsPerPrincipal'
  | 'maxHandles'
  | 'maxHeldBtfBytes'
  | 'maxCalls'
  | 'maxStreams'
  | 'maxConnections'
  | 'maxSpecBytes'
  | 'maxCheckedBytes'
  | `${'maxHandles' | 'maxHeldBtfBytes' | 'maxCalls' | 'maxStreams' | 'maxConnections' | 'maxSpecBytes' | 'maxCheckedBytes'}PerPrincipal`;

/** makeQuotas returns the quotas with the given limits. */
export function makeQuotas(limits: Pick<Limits, QuotaLimitNames>): Quotas {
  return {
    handles: new Quota(
      // A lease that nobody renews ends, but nothing can say when.
      { name: 'handles', what: 'open handles', retryMs: null },
      { each: limits.maxHandlesPerPrincipal, all: limits.maxHandles },
    ),
    btfBytes: new Quota(
      { name: 'btf_bytes', what: 'bytes of BTF held', retryMs: null },
      { each: limits.maxHeldBtfBytesPerPrincipal, all: limits.maxHeldBtfBytes },
    ),
    calls: new Quota(
      { name: 'calls', what: 'calls in flight', retryMs: 1_000 },
      { each: limits.maxCallsPerPrincipal, all: limits.maxCalls },
    ),
    streams: new Quota(
      { name: 'streams', what: 'streams in flight', retryMs: 1_000 },
      { each: limits.maxStreamsPerPrincipal, all: limits.maxStreams },
    ),
    loads: new Quota(
      { name: 'loads', what: 'loads in progress', retryMs: 1_000 },
      { each: limits.maxLoadsPerPrincipal, all: Infinity },
    ),
    specBytes: new Quota(
      { name: 'spec_bytes', what: 'bytes of BTF in use', retryMs: 1_000 },
      { each: limits.maxSpecBytesPerPrincipal, all: limits.maxSpecBytes },
    ),
    objectBytes: new Quota(
      { name: 'object_bytes', what: 'bytes of BPF objects', retryMs: 1_000 },
      { each: limits.maxCheckedBytesPerPrincipal, all: limits.maxCheckedBytes },
    ),
    connections: new Quota(
      { name: 'connections', what: 'connections', retryMs: 1_000 },
      { each: limits.maxConnectionsPerPrincipal, all: limits.maxConnections },
    ),
  };
}
