import type { Setting } from './setting.js';
import { BYTES, bytes, COUNT, DURATION, DURATION_OR_NONE, MEBIBYTES_OR_NONE } from './kinds.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Sums of sizes, which are never one buffer. */
const TOTAL = bytes(1, 1024 * 1024 * MIB);
/** From the smallest buffer that the kernel accepts to more than any log needs. */
const VERIFIER_LOG = bytes(128, 64 * MIB);

/**
 * LIMIT_SETTINGS are the limits that an operator can set, each with its default and the reason for it. A new limit
 * needs one row: flag, variable, key, help and documentation come from it. Limits that follow from these are in
 * DERIVED_LIMITS.
 */
export const LIMIT_SETTINGS = {
  maxMessageBytes: {
    name: 'max-message',
    kind: BYTES,
    fallback: 64 * KIB,
    description: 'largest request other than LoadHandle; one of CheckObject counts without its object',
    reason: 'Fits 1,000 tokens, or a selection with every list full of ordinary names.',
  },
  maxBtfBytes: {
    name: 'max-btf',
    kind: BYTES,
    fallback: 16 * MIB,
    description: 'largest BTF to load; a LoadHandle request may have 1 MiB more',
    reason: 'The kernel’s BTF_MAX_SIZE.',
  },
  maxBtfBytesOfOthers: {
    name: 'max-btf-of-others',
    kind: BYTES,
    fallback: 4 * MIB,
    description: 'largest BTF to load for callers other than root',
    reason:
      'Many times the size of a BPF program’s BTF. The kernel’s check takes longer for larger BTF, and nothing can interrupt it.',
  },
  maxTypesBytes: {
    name: 'max-load-types',
    kind: BYTES,
    fallback: MIB,
    description: 'largest encoded list of types in a LoadHandle request',
    reason:
      'Decoding 1 MiB, which is some thousands of types, holds the event loop for tens of milliseconds.',
  },
  maxObjectBytes: {
    name: 'max-object',
    kind: BYTES,
    fallback: 8 * MIB,
    description:
      'largest BPF object to check; all objects that are checked at one time may have 32 times as much, of which one principal may have a quarter',
    reason:
      'The largest known objects have some MiB with their debug information, which clients leave out. Each counts twice, because a thread gets a copy.',
  },
  minTtlMs: {
    name: 'min-ttl',
    kind: DURATION,
    fallback: 1_000,
    description: 'shortest lease that is granted',
    reason: 'With a shorter lease a client would spend more on renewing than on work.',
  },
  maxTtlMs: {
    name: 'max-ttl',
    kind: DURATION,
    fallback: 3_600_000,
    description: 'longest lease that is granted',
    reason:
      'A client that died without its connection breaking keeps its objects in the kernel for this long.',
  },
  defaultTtlMs: {
    name: 'default-ttl',
    kind: DURATION,
    fallback: 60_000,
    description: 'lease of a client that requests no TTL',
    reason: 'Long enough to stop a client in a debugger for a moment.',
  },
  maxHeldPerStream: {
    name: 'max-held-per-stream',
    kind: COUNT,
    fallback: 64,
    description: 'maximum number of handles that one stream of IterateHandles holds',
    reason: 'Hides the round trip of closing a handle. Each held handle costs one file descriptor.',
  },
  holdStallMs: {
    name: 'hold-stall-timeout',
    kind: DURATION,
    fallback: 30_000,
    description:
      'how long a stream that holds the maximum waits until its client takes, closes or uses a handle',
    reason: 'Longer than a client needs to look at 64 objects, and short enough to release forgotten ones.',
  },
  maxLogBytes: {
    name: 'max-verifier-log',
    kind: VERIFIER_LOG,
    fallback: 4 * MIB,
    description:
      'largest log about refused BTF that a client may request; a client that sets no size gets at most 256 KiB',
    reason: 'More than a person reads, and about as much as fits in a message.',
  },
  maxTokens: {
    name: 'max-tokens',
    kind: COUNT,
    fallback: 1_000,
    description: 'maximum number of handles in one RenewHandles or CloseHandles request',
    reason: 'As many as fit in a request, and more than most clients hold.',
  },
  maxQueuedLoads: {
    name: 'max-queued-loads',
    kind: COUNT,
    fallback: 32,
    description:
      'maximum number of loads that wait for the kernel; one principal may have a quarter of it in progress',
    reason: 'The kernel checks one load at a time. A longer queue would only mean a longer wait.',
  },
  maxCheckMs: {
    name: 'max-check-time',
    kind: DURATION,
    fallback: 2_000,
    description: 'longest estimated time of the kernel’s check of BTF',
    reason: 'Nothing can interrupt the check. For the BTF of vmlinux it searches for milliseconds.',
  },
  workers: {
    name: 'workers',
    kind: COUNT,
    fallback: 3,
    description:
      'number of threads that decode, select, print and build BTF; one principal uses at most all except one',
    reason:
      'While a long step holds one thread of a principal, its other thread continues, and the third serves other principals.',
  },
  maxJobs: {
    name: 'max-jobs',
    kind: COUNT,
    fallback: 256,
    description:
      'maximum number of requests that the threads work on at one time, and of objects to check a sixteenth; one principal may have a quarter; further requests wait',
    reason: 'Each may keep a megabyte: the selected types, and the definitions that it has printed.',
  },
  workerHeapBytes: {
    name: 'max-worker-heap',
    kind: bytes(64 * MIB, 16 * 1024 * MIB),
    fallback: 512 * MIB,
    description: 'memory of one thread; a thread that needs more is replaced',
    reason: 'A type with a million members takes about 150 MiB. No more members fit in 16 MiB of BTF.',
  },
  workerStepMs: {
    name: 'worker-step-timeout',
    kind: DURATION,
    fallback: 10_000,
    description: 'how long one thread may work without a result before it is replaced',
    reason: 'The longest measured step on BTF that the kernel accepts took 2 s.',
  },
  maxCBytes: {
    name: 'max-c-header',
    kind: BYTES,
    fallback: 16 * MIB,
    description: 'largest C header',
    reason:
      'The header of a kernel has 3 MiB. Without a limit, hostile BTF could print endlessly within one definition.',
  },
  maxFileBytes: {
    name: 'max-file',
    kind: BYTES,
    fallback: 64 * MIB,
    description: 'largest BTF file that is read',
    reason: 'A vmlinux is 5 to 10 MiB. A folder may hold anything.',
  },
  specCacheBytes: {
    name: 'spec-cache',
    kind: BYTES,
    fallback: 64 * MIB,
    description: 'memory for cached BTF',
    reason: 'About ten kernels.',
  },
  responseCacheBytes: {
    name: 'response-cache',
    kind: bytes(0, 1024 * MIB),
    fallback: 16 * MIB,
    description:
      'memory for responses of Spec and ResolveMembers that may be requested again; 0 to keep none',
    reason: 'All types of a vmlinux and its C are 10 MiB, and the members that a program reads some KiB.',
  },
  maxSpecBytes: {
    name: 'max-specs-in-use',
    kind: TOTAL,
    fallback: 512 * MIB,
    description:
      'maximum size of all BTF that calls of Spec, ResolveMembers and CheckObject use at one time; one principal may use a quarter; one object counts once',
    reason:
      'In addition to the cache: BTF in use stays in memory after its eviction. A kernel with its modules has about 40 MiB. With less, a quarter may not fit vmlinux.',
  },
  requestMs: {
    name: 'request-timeout',
    kind: DURATION,
    fallback: 60_000,
    description: 'how long the request of a call may take to arrive',
    reason:
      'Enough for the largest load at 3 Mbit/s. A client that stops sending would occupy one of the `max-calls`.',
  },
  slowReaderMs: {
    name: 'slow-reader-timeout',
    kind: DURATION,
    fallback: 60_000,
    description: 'how long a call waits for a client that does not read',
    reason: 'A client that reads nothing for this long is gone or broken.',
  },
  maxStreamsPerConnection: {
    name: 'max-streams-per-connection',
    kind: COUNT,
    fallback: 1_000,
    description: 'maximum number of calls in flight on one connection',
    reason: 'Without a limit, one connection could use all memory.',
  },
  keepaliveMs: {
    name: 'keepalive',
    kind: DURATION,
    fallback: 20_000,
    description: 'time between pings on a connection, and the longest wait for the reply',
    reason:
      'Only a ping detects a stopped client. The time is longer than `drain-timeout`, because a ping ends a session that is being closed.',
  },
  drainMs: {
    name: 'drain-timeout',
    kind: DURATION,
    fallback: 10_000,
    description: 'how long calls in flight may continue after SIGTERM',
    reason: 'Shorter than `keepalive`, because a ping ends a session that is being closed.',
  },
  handshakeMs: {
    name: 'handshake-timeout',
    kind: DURATION,
    fallback: 10_000,
    description:
      'how long the handshake of TLS and HTTP/2 may take; a connection without a known caller stays open half as long',
    reason:
      'A round trip around the world takes a fraction of a second. A silent peer would occupy a socket.',
  },
  reloadPollMs: {
    name: 'reload-interval',
    kind: DURATION,
    fallback: 2_000,
    description: 'time between checks of the files of TLS and policy',
    reason: 'Checking four files costs little, and a replaced file is noticed soon.',
  },
  maxHandles: {
    name: 'max-handles',
    kind: COUNT,
    fallback: 16_384,
    description: 'maximum number of handles; one principal may have a quarter',
    reason:
      'Each takes a file descriptor, of which a process may have some hundred thousand. A kernel with all its modules has some hundred objects.',
  },
  maxHeldBtfBytes: {
    name: 'max-held-btf',
    kind: TOTAL,
    fallback: 1024 * MIB,
    description: 'maximum size of all loaded BTF that handles hold; one principal may hold a quarter',
    reason: 'Kernel memory for loaded BTF is 2.4 times its size, and is charged to no cgroup.',
  },
  maxCalls: {
    name: 'max-calls',
    kind: COUNT,
    fallback: 2_048,
    description: 'maximum number of calls in flight; one principal may have a quarter',
    reason: 'Far more than the clients of a node make. Each takes some kilobytes.',
  },
  maxStreams: {
    name: 'max-streams',
    kind: COUNT,
    fallback: 1_024,
    description: 'maximum number of streams; one principal may have a quarter',
    reason: 'Each may buffer two chunks that its client has not read: half a megabyte.',
  },
  maxConnections: {
    name: 'max-connections',
    kind: COUNT,
    fallback: 1_024,
    description:
      'maximum number of connections; one principal may have a quarter; a quarter as many may be in the TLS handshake',
    reason: 'Each takes a socket and some hundred kilobytes.',
  },
  maxMetadataBytes: {
    name: 'max-metadata',
    kind: BYTES,
    fallback: 8 * KIB,
    description: 'largest metadata of a call',
    reason: 'The default of other gRPC servers. A trace context and a request id have some hundred bytes.',
  },
  maxLogLines: {
    name: 'max-log-lines',
    kind: COUNT,
    fallback: 500,
    description:
      'maximum number of log lines about one principal in 10 s, counted separately for calls and for each audited action; one more line has the number of those left out',
    reason:
      'journald drops everything a service writes beyond 10,000 lines in 30 s, whichever caller caused it.',
  },
  maxConnectionIdleMs: {
    name: 'max-connection-idle',
    kind: DURATION,
    fallback: 15 * 60_000,
    description: 'how long a connection without calls stays open',
    reason: 'A client that returns reconnects in milliseconds.',
  },
  maxConnectionAgeMs: {
    name: 'max-connection-age',
    kind: DURATION_OR_NONE,
    fallback: Infinity,
    description: 'how long a connection may stay open',
    reason: 'Closing a connection would end its streams, and close the handles that they hold.',
  },
  maxSessionMemoryMiB: {
    name: 'max-session-memory',
    kind: MEBIBYTES_OR_NONE,
    fallback: Infinity,
    description: 'maximum memory of one HTTP/2 session, as Node counts it',
    reason:
      'Node 20 never subtracts the unsent data of a cancelled stream, so a limit would block long-lived sessions. Other limits bound the memory of the streams of a session.',
  },
  watchIntervalMs: {
    name: 'watch-interval',
    kind: DURATION,
    fallback: 400,
    description: 'time between two lists of the objects, while there are watchers',
    reason: 'Including the time to list and to send, watchers are notified within half a second.',
  },
  watchHistory: {
    name: 'watch-history',
    kind: COUNT,
    fallback: 16_384,
    description: 'maximum number of events that are kept for watchers that resume',
    reason: 'Each event takes about 150 bytes. A machine does not load or unload this many objects at once.',
  },
  defaultBookmarkMs: {
    name: 'default-bookmark-interval',
    kind: DURATION,
    fallback: 30_000,
    description:
      'time between bookmarks of a watch that requests no interval; a watch may request 1 s to 1 h',
    reason: 'Proxies drop a stream that is silent for a minute or more.',
  },
} as const satisfies Readonly<Record<string, Setting<number>>>;

/** SettableLimits are the values of the limits that an operator can set. Sizes are bytes, times milliseconds. */
export type SettableLimits = Readonly<Record<keyof typeof LIMIT_SETTINGS, number>>;
