import { LIMIT_SETTINGS, type SettableLimits } from './limit-settings.js';
import type { Setting } from './setting.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** DerivedLimit is a limit that follows from other settings. */
export interface DerivedLimit {
  /** The name that it has, or would have, as a setting. */
  readonly name: string;
  /** Returns its rule as a text for errors. `names` are those of the source of the refused setting: flags, variables or keys. */
  rule(names: SettingNames): string;
  derive(limits: SettableLimits): number;
}

/** SettingNames are the limits that can be set, named as flags, variables or keys. */
export type SettingNames = Readonly<Record<keyof SettableLimits, string>>;

/** A principal gets a quarter of the whole, so that no principal can use up the share of all others. */
function quarterOf(name: string, whole: keyof SettableLimits): DerivedLimit {
  return {
    name,
    rule: (names) => `it is a quarter of ${names[whole]}`,
    derive: (limits) => Math.max(1, Math.floor(limits[whole] / 4)),
  };
}

/**
 * DERIVED_LIMITS are the limits that follow from those in LIMIT_SETTINGS. Most were settings once. A setting with such
 * a name is refused with its rule.
 */
export const DERIVED_LIMITS = {
  maxLoadsPerPrincipal: quarterOf('max-loads-per-principal', 'maxQueuedLoads'),
  maxJobsPerPrincipal: quarterOf('max-jobs-per-principal', 'maxJobs'),
  maxChecks: {
    name: 'max-checks',
    rule: ({ maxJobs }) => `it is a sixteenth of ${maxJobs}`,
    // A hostile object takes some 100 MiB of the memory of its thread until its report is read.
    derive: ({ maxJobs }) => Math.max(1, Math.floor(maxJobs / 16)),
  },
  maxChecksPerPrincipal: {
    name: 'max-checks-per-principal',
    rule: ({ maxJobs }) => `it is a quarter of a sixteenth of ${maxJobs}`,
    derive: ({ maxJobs }) => Math.max(1, Math.floor(maxJobs / 64)),
  },
  maxSpecBytesPerPrincipal: quarterOf('max-specs-in-use-per-principal', 'maxSpecBytes'),
  maxHandlesPerPrincipal: quarterOf('max-handles-per-principal', 'maxHandles'),
  maxHeldBtfBytesPerPrincipal: quarterOf('max-held-btf-per-principal', 'maxHeldBtfBytes'),
  maxCallsPerPrincipal: quarterOf('max-calls-per-principal', 'maxCalls'),
  maxStreamsPerPrincipal: quarterOf('max-streams-per-principal', 'maxStreams'),
  maxConnectionsPerPrincipal: quarterOf('max-connections-per-principal', 'maxConnections'),
  // Anyone who can reach the port can begin a handshake. A handshake above the limit ends the oldest one.
  maxHandshakes: quarterOf('max-handshakes', 'maxConnections'),
  maxLoadMessageBytes: {
    name: 'max-load-message',
    rule: ({ maxBtfBytes, maxMessageBytes }) =>
      `it is 1MiB more than ${maxBtfBytes}, and at least ${maxMessageBytes}`,
    // The margin gives BTF that is slightly too large the clearer error.
    derive: ({ maxBtfBytes, maxMessageBytes }) => Math.max(maxBtfBytes + MIB, maxMessageBytes),
  },
  maxObjectMessageBytes: {
    name: 'max-object-message',
    rule: ({ maxObjectBytes, maxMessageBytes }) =>
      `it is 1MiB more than ${maxObjectBytes}, and at least ${maxMessageBytes}`,
    // The margin gives an object that is slightly too large the clearer error.
    derive: ({ maxObjectBytes, maxMessageBytes }) => Math.max(maxObjectBytes + MIB, maxMessageBytes),
  },
  maxCheckedBytes: {
    name: 'max-objects-in-use',
    rule: ({ maxObjectBytes }) => `it is 32 times ${maxObjectBytes}`,
    // Four of the largest for each of four principals, each with its copy for a thread.
    derive: ({ maxObjectBytes }) => 32 * maxObjectBytes,
  },
  maxCheckedBytesPerPrincipal: {
    name: 'max-objects-in-use-per-principal',
    rule: ({ maxObjectBytes }) => `it is eight times ${maxObjectBytes}`,
    derive: ({ maxObjectBytes }) => 8 * maxObjectBytes,
  },
  maxQueuedLoadBytes: {
    name: 'max-queued-load-bytes',
    rule: ({ maxBtfBytes }) => `it is four times ${maxBtfBytes}`,
    derive: ({ maxBtfBytes }) => 4 * maxBtfBytes,
  },
  defaultLogBytes: {
    name: 'default-verifier-log',
    rule: ({ maxLogBytes }) => `it is 256KiB, or ${maxLogBytes} if that is less`,
    // The fault is at the end of a log, and a log that does not fit keeps its end.
    derive: ({ maxLogBytes }) => Math.min(256 * KIB, maxLogBytes),
  },
  maxAnswerBytes: {
    name: 'max-answer',
    rule: ({ maxLogBytes }) => `it is 4MiB, or ${maxLogBytes} if that is more, less 4KiB`,
    // gRPC clients receive 4 MiB by default, and proxies may add to that. A larger log is sent only if a client asks.
    derive: ({ maxLogBytes }) => Math.max(4 * MIB, maxLogBytes) - 4 * KIB,
  },
  chunkBytes: {
    name: 'chunk-size',
    rule: () => 'messages of Spec have at most 256KiB',
    // A slow reader costs two chunks.
    derive: () => 256 * KIB,
  },
  unauthenticatedMs: {
    name: 'unauthenticated-timeout',
    rule: ({ handshakeMs }) => `it is half of ${handshakeMs}`,
    // Long enough for the calls of an unknown caller to get their errors.
    derive: ({ handshakeMs }) => Math.max(1, Math.floor(handshakeMs / 2)),
  },
  minBookmarkMs: {
    name: 'min-bookmark-interval',
    rule: ({ defaultBookmarkMs }) => `it is 1s, or ${defaultBookmarkMs} if that is less`,
    derive: ({ defaultBookmarkMs }) => Math.min(1_000, defaultBookmarkMs),
  },
  maxBookmarkMs: {
    name: 'max-bookmark-interval',
    rule: ({ defaultBookmarkMs }) => `it is 1h, or ${defaultBookmarkMs} if that is more`,
    derive: ({ defaultBookmarkMs }) => Math.max(3_600_000, defaultBookmarkMs),
  },
} as const satisfies Readonly<Record<string, DerivedLimit>>;

/**
 * Limits bound the work and memory that calls can take. Sizes are bytes, times milliseconds. Settings derive some limits
 * from others, but limits given to `startDaemon` are used as they are.
 */
export type Limits = SettableLimits & Readonly<Record<keyof typeof DERIVED_LIMITS, number>>;

/** limitsFrom returns all limits: those that can be set, with their values from `valueOf`, and the derived ones. */
export function limitsFrom(valueOf: (setting: Setting<number>) => number): Limits {
  const settable = mapRows(LIMIT_SETTINGS, valueOf);
  return { ...settable, ...mapRows(DERIVED_LIMITS, (limit: DerivedLimit) => limit.derive(settable)) };
}

/** DEFAULT_LIMITS are the limits in force if nothing is set. */
export const DEFAULT_LIMITS: Limits = limitsFrom(({ fallback }) => fallback);

/**
 * whyRemoved returns what replaced a setting that was removed, or null if there never was one of that name.
 *
 * @param nameOf names the settings that replaced it.
 */
export function whyRemoved(name: string, nameOf: (setting: Setting<unknown>) => string): string | null {
  const removed = Object.values<DerivedLimit>(DERIVED_LIMITS).find((each) => each.name === name);
  return removed === undefined ? null : `was removed: ${removed.rule(mapRows(LIMIT_SETTINGS, nameOf))}`;
}

/** Makes a value of each row of a table. */
function mapRows<Key extends string, Row, Value>(
  rows: Readonly<Record<Key, Row>>,
  valueOf: (row: Row) => Value,
): Readonly<Record<Key, Value>> {
  const values = Object.fromEntries(Object.entries<Row>(rows).map(([key, row]) => [key, valueOf(row)]));
  if (!hasKeysOf(rows, values)) throw new Error('a row has no value');
  return values;
}

function hasKeysOf<Key extends string, Value>(
  rows: Readonly<Record<Key, unknown>>,
  values: Readonly<Record<string, Value>>,
): values is Readonly<Record<Key, Value>> {
  return Object.keys(rows).every((key) => key in values);
}
