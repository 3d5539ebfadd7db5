import type { Setting } from './setting.js';
import { BYTES, bytes, COUNT, DURATION, DURATION_OR_NONE, MEBIBYTES_OR_NONE } from './kinds.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Sizes of what is counted together, and no buffer. */
const TOTAL = bytes(1, 1024 * 1024 * MIB);
/** The smallest buffer that the kernel takes, and more than any log has. */
const VERIFIER_LOG = bytes(128, 64 * MIB);
/** Room for a name, of 16 KiB at most, and what is around it; and what gRPC clients receive by default. */
const MESSAGE = bytes(64 * KIB, 4 * MIB - 4 * KIB);

/**
 * LIMIT_SETTINGS are the limits of the daemon, each with its default and the reason of it. A row is all that a new
 * limit needs: flag, variable, key, help and documentation come from it.
 */
export const LIMIT_SETTINGS = {
  maxLoadMessageBytes: {
    name: 'max-load-message',
    kind: BYTES,
    fallback: 17 * MIB,
    description: 'size of a LoadHandle request',
    reason:
      'The kernel’s 16 MiB and a margin, so that a BTF that is slightly too large gets the clearer error.',
  },
  maxMessageBytes: {
    name: 'max-message',
    kind: BYTES,
    fallback: 64 * KIB,
    description: 'size of every other request',
    reason: '1000 tokens, or a selection with every list full of ordinary names, fit.',
  },
  maxBtfBytes: {
    name: 'max-btf',
    kind: BYTES,
    fallback: 16 * MIB,
    description: 'size of BTF to load',
    reason: 'The kernel’s BTF_MAX_SIZE.',
  },
  minTtlMs: {
    name: 'min-ttl',
    kind: DURATION,
    fallback: 1_000,
    description: 'shortest lease that is granted',
    reason: 'Shorter ones would spend more on renewing than on work.',
  },
  maxTtlMs: {
    name: 'max-ttl',
    kind: DURATION,
    fallback: 3_600_000,
    description: 'longest lease that is granted',
    reason: 'What a client that died without its connection breaking can keep in the kernel at most.',
  },
  defaultTtlMs: {
    name: 'default-ttl',
    kind: DURATION,
    fallback: 60_000,
    description: 'lease of a client that asks for none',
    reason: 'Long enough for a client that is stopped in a debugger for a moment.',
  },
  maxHeldPerStream: {
    name: 'max-held-per-stream',
    kind: COUNT,
    fallback: 64,
    description: 'handles that one stream of IterateHandles holds',
    reason: 'Hides the round trip of closing, at a cost of one file descriptor each.',
  },
  holdStallMs: {
    name: 'hold-stall-timeout',
    kind: DURATION,
    fallback: 30_000,
    description: 'how long a stream that holds all it may waits for its client',
    reason: 'Longer than a look at 64 objects takes, and short enough not to keep what a client forgot.',
  },
  defaultLogBytes: {
    name: 'default-verifier-log',
    kind: VERIFIER_LOG,
    fallback: 256 * KIB,
    description: 'room for the verifier’s log unless a client asks for more',
    reason: 'The tail of a log is what tells the fault.',
  },
  maxLogBytes: {
    name: 'max-verifier-log',
    kind: VERIFIER_LOG,
    fallback: 4 * MIB,
    description: 'room for the verifier’s log that a client may ask for',
    reason: 'More than a person reads, and about what an answer may have.',
  },
  maxAnswerBytes: {
    name: 'max-answer',
    kind: bytes(64 * KIB, 64 * MIB),
    fallback: 4 * MIB - 4 * KIB,
    description: 'size of an answer with a verifier’s log',
    reason: 'gRPC clients receive 4 MiB by default; 4 KiB for whatever a proxy may add.',
  },
  maxTokens: {
    name: 'max-tokens',
    kind: COUNT,
    fallback: 1_000,
    description: 'handles that one RenewHandles or CloseHandles names',
    reason: 'As many as fit in a request; more than a client holds as a rule.',
  },
  maxBtfBytesOfOthers: {
    name: 'max-btf-of-others',
    kind: BYTES,
    fallback: 4 * MIB,
    description: 'size of BTF to load for callers other than root',
    reason:
      'Many times what BPF programs have. The kernel’s check takes longer the more there is, and nothing ends it.',
  },
  maxLoadsPerPrincipal: {
    name: 'max-loads-per-principal',
    kind: COUNT,
    fallback: 8,
    description: 'calls of LoadHandle of one principal in flight',
    reason: 'A quarter of the queue, so that one cannot fill it for all; each may bring 17 MiB.',
  },
  maxQueuedLoads: {
    name: 'max-queued-loads',
    kind: COUNT,
    fallback: 32,
    description: 'loads that wait for the kernel',
    reason: 'The kernel checks one at a time; who waits behind more than this waits too long.',
  },
  maxQueuedLoadBytes: {
    name: 'max-queued-load-bytes',
    kind: BYTES,
    fallback: 64 * MIB,
    description: 'bytes of BTF that wait for the kernel',
    reason: 'Four of the largest, besides the one that is checked.',
  },
  maxCheckMs: {
    name: 'max-check-time',
    kind: DURATION,
    fallback: 2_000,
    description: 'how long the kernel’s check of BTF may take, by estimate',
    reason: 'Nothing can end the check. A kernel’s own BTF takes milliseconds of searching.',
  },
  workers: {
    name: 'workers',
    kind: COUNT,
    fallback: 3,
    description: 'threads that decode, select, print and build BTF; one principal has at most all but one',
    reason:
      'Of one principal’s, one may be held for as long as a step may take, and the other goes on; so do others’.',
  },
  maxJobs: {
    name: 'max-jobs',
    kind: COUNT,
    fallback: 256,
    description: 'requests that the threads work on at one time; more wait',
    reason: 'Each may keep a megabyte: which types were selected, and the definitions printed so far.',
  },
  maxJobsPerPrincipal: {
    name: 'max-jobs-per-principal',
    kind: COUNT,
    fallback: 64,
    description: 'requests of one principal that the threads work on at one time; more wait',
    reason: 'A quarter of all, as for handles.',
  },
  workerHeapBytes: {
    name: 'max-worker-heap',
    kind: bytes(64 * MIB, 16 * 1024 * MIB),
    fallback: 512 * MIB,
    description: 'memory of one of the threads, after which it is replaced',
    reason: 'A type with a million members, the most that 16 MiB of BTF can hold, takes some 150 MiB.',
  },
  workerStepMs: {
    name: 'worker-step-timeout',
    kind: DURATION,
    fallback: 10_000,
    description: 'how long one of the threads may work without an answer, after which it is replaced',
    reason: 'The longest step of BTF that the kernel accepts takes 2 s here.',
  },
  maxTypesBytes: {
    name: 'max-load-types',
    kind: BYTES,
    fallback: MIB,
    description: 'encoded size of the types of a LoadHandle',
    reason: 'Decoding it takes tens of milliseconds of the event loop; 1 MiB of types is some thousands.',
  },
  maxCBytes: {
    name: 'max-c-header',
    kind: BYTES,
    fallback: 16 * MIB,
    description: 'size of a C header',
    reason:
      'A kernel’s takes 3 MiB. Hostile BTF prints without bound, in one definition that nothing interrupts.',
  },
  maxFileBytes: {
    name: 'max-file',
    kind: BYTES,
    fallback: 64 * MIB,
    description: 'size of a BTF file that is read',
    reason: 'A vmlinux is 5 to 10 MiB; a folder may hold anything.',
  },
  specCacheBytes: {
    name: 'spec-cache',
    kind: BYTES,
    fallback: 64 * MIB,
    description: 'memory for BTF that was read',
    reason: 'About ten kernels.',
  },
  maxSpecBytes: {
    name: 'max-specs-in-use',
    kind: TOTAL,
    fallback: 512 * MIB,
    description: 'bytes of BTF that calls of Spec and ResolveMembers read and send at one time',
    reason: 'Besides the cache: what is dropped from it stays until the last call that sends it is done.',
  },
  maxSpecBytesPerPrincipal: {
    name: 'max-specs-in-use-per-principal',
    kind: TOTAL,
    fallback: 128 * MIB,
    description: 'those of one principal; one object counts once',
    reason: 'A quarter of all, as for handles. A kernel with all its modules has some 40 MiB.',
  },
  chunkBytes: {
    name: 'chunk-size',
    kind: MESSAGE,
    fallback: 256 * KIB,
    description: 'size of a message of Spec',
    reason: 'gRPC clients receive 4 MiB by default, and two chunks are what a slow reader costs.',
  },
  requestMs: {
    name: 'request-timeout',
    kind: DURATION,
    fallback: 60_000,
    description: 'how long the request of a call may take to come',
    reason: 'The largest load comes in that time at 3 Mbit/s. Who sends no more keeps a place for nothing.',
  },
  slowReaderMs: {
    name: 'slow-reader-timeout',
    kind: DURATION,
    fallback: 60_000,
    description: 'how long a call waits for a client that does not read',
    reason: 'A reader that takes nothing for this long is gone or broken.',
  },
  maxStreamsPerConnection: {
    name: 'max-streams-per-connection',
    kind: COUNT,
    fallback: 1_000,
    description: 'calls in flight on one connection',
    reason: 'Node would let one connection open as many as memory holds.',
  },
  keepaliveMs: {
    name: 'keepalive',
    kind: DURATION,
    fallback: 20_000,
    description: 'time between pings of a connection, and for the answer to each',
    reason:
      'A client that was stopped is found by this alone. Longer than the drain, which a ping would cut short.',
  },
  drainMs: {
    name: 'drain-timeout',
    kind: DURATION,
    fallback: 10_000,
    description: 'how long calls in flight may go on at SIGTERM',
    reason: 'Shorter than the 20 s after which a ping cuts a session that is being closed.',
  },
  handshakeMs: {
    name: 'handshake-timeout',
    kind: DURATION,
    fallback: 10_000,
    description: 'how long the handshake of TLS and HTTP/2 may take',
    reason:
      'A round trip around the world is a fraction of a second; who says nothing for longer holds a socket for nothing.',
  },
  maxHandshakes: {
    name: 'max-handshakes',
    kind: COUNT,
    fallback: 256,
    description: 'handshakes of TLS at one time; one more breaks the oldest',
    reason:
      'Whoever reaches the port can begin one. Who goes on is done in a moment, before it is the oldest.',
  },
  unauthenticatedMs: {
    name: 'unauthenticated-timeout',
    kind: DURATION,
    fallback: 5_000,
    description: 'how long a connection that nobody is known of stays open',
    reason: 'Long enough to be told why; nobody else uses such a connection.',
  },
  reloadPollMs: {
    name: 'reload-interval',
    kind: DURATION,
    fallback: 2_000,
    description: 'time between looks at the files of TLS and policy',
    reason: 'Four files are looked at each time; who replaces one doesn’t wait longer than for a command.',
  },
  maxHandles: {
    name: 'max-handles',
    kind: COUNT,
    fallback: 16_384,
    description: 'handles in all',
    reason:
      'A file descriptor each. A process may have some hundred thousand; a kernel with all its modules has some hundred objects.',
  },
  maxHandlesPerPrincipal: {
    name: 'max-handles-per-principal',
    kind: COUNT,
    fallback: 4_096,
    description: 'handles of one principal',
    reason: 'A quarter of all, so that no principal takes the place of every other.',
  },
  maxHeldBtfBytes: {
    name: 'max-held-btf',
    kind: TOTAL,
    fallback: 1024 * MIB,
    description: 'bytes of BTF that handles on loaded objects hold in all',
    reason:
      'The kernel took 2.4 times as much memory as the BTF that it was given, which no cgroup is charged for.',
  },
  maxHeldBtfBytesPerPrincipal: {
    name: 'max-held-btf-per-principal',
    kind: TOTAL,
    fallback: 256 * MIB,
    description: 'bytes of BTF that the handles of one principal hold',
    reason: 'A quarter of all, as for handles.',
  },
  maxCalls: {
    name: 'max-calls',
    kind: COUNT,
    fallback: 2_048,
    description: 'calls in flight in all',
    reason: 'Far more than a node’s clients have; each takes some kilobytes.',
  },
  maxCallsPerPrincipal: {
    name: 'max-calls-per-principal',
    kind: COUNT,
    fallback: 512,
    description: 'calls in flight of one principal',
    reason: 'A quarter of all, as for handles.',
  },
  maxStreams: {
    name: 'max-streams',
    kind: COUNT,
    fallback: 1_024,
    description: 'streams in all',
    reason: 'Each may hold two chunks that its reader does not take: half a megabyte.',
  },
  maxStreamsPerPrincipal: {
    name: 'max-streams-per-principal',
    kind: COUNT,
    fallback: 256,
    description: 'streams of one principal',
    reason: 'A quarter of all, as for handles.',
  },
  maxConnections: {
    name: 'max-connections',
    kind: COUNT,
    fallback: 1_024,
    description: 'connections in all',
    reason: 'A socket and some hundred kilobytes each.',
  },
  maxConnectionsPerPrincipal: {
    name: 'max-connections-per-principal',
    kind: COUNT,
    fallback: 256,
    description: 'connections of one principal',
    reason: 'A quarter of all, as for handles.',
  },
  maxMetadataBytes: {
    name: 'max-metadata',
    kind: BYTES,
    fallback: 8 * KIB,
    description: 'size of the metadata of a call',
    reason: 'What other gRPC servers take is 8 KiB; a trace context and a request id are some hundred bytes.',
  },
  maxLogLines: {
    name: 'max-log-lines',
    kind: COUNT,
    fallback: 500,
    description:
      'lines in 10 s of one principal’s failed calls, and as many of its takes and its refusals; more are counted',
    reason: 'What a service writes beyond 10,000 lines in 30 s journald drops, be it of whom it may.',
  },
  maxConnectionIdleMs: {
    name: 'max-connection-idle',
    kind: DURATION,
    fallback: 15 * 60_000,
    description: 'how long a connection without calls stays open',
    reason: 'A client that comes again connects in milliseconds.',
  },
  maxConnectionAgeMs: {
    name: 'max-connection-age',
    kind: DURATION_OR_NONE,
    fallback: Infinity,
    description: 'how long a connection stays open at most',
    reason: 'The end of a connection ends the streams on it, and what they hold.',
  },
  maxSessionMemoryMiB: {
    name: 'max-session-memory',
    kind: MEBIBYTES_OR_NONE,
    fallback: Infinity,
    description: 'memory of one HTTP/2 session, as Node counts it',
    reason:
      'Node 20 counts for ever what a cancelled stream had still to send, so that a bound ends what lives long. ' +
      'A session keeps what its streams keep, which other limits bound.',
  },
  watchIntervalMs: {
    name: 'watch-interval',
    kind: DURATION,
    fallback: 400,
    description: 'time between looks for objects that came or went, while somebody watches',
    reason: 'With the time to look and to tell, watchers know within half a second.',
  },
  watchHistory: {
    name: 'watch-history',
    kind: COUNT,
    fallback: 16_384,
    description: 'changes that are kept for watchers who come again',
    reason: 'Some 150 bytes each. More than a machine’s modules and programs come to in one go.',
  },
  minBookmarkMs: {
    name: 'min-bookmark-interval',
    kind: DURATION,
    fallback: 1_000,
    description: 'shortest time between bookmarks of a watch',
    reason: 'More often would be traffic and nothing else.',
  },
  maxBookmarkMs: {
    name: 'max-bookmark-interval',
    kind: DURATION,
    fallback: 3_600_000,
    description: 'longest time between bookmarks of a watch',
    reason: 'Longer is as good as none.',
  },
  defaultBookmarkMs: {
    name: 'default-bookmark-interval',
    kind: DURATION,
    fallback: 30_000,
    description: 'time between bookmarks of a watch that asks for none',
    reason: 'Proxies take a stream for dead after a minute or more.',
  },
} as const satisfies Readonly<Record<string, Setting<number>>>;

/** Limits bound what one call or one stream can ask of the daemon. Sizes are bytes, times milliseconds. */
export type Limits = Readonly<Record<keyof typeof LIMIT_SETTINGS, number>>;

/** limitsFrom gives each limit the value of its setting. */
export function limitsFrom(valueOf: (setting: Setting<number>) => number): Limits {
  const limits = Object.fromEntries(
    Object.entries(LIMIT_SETTINGS).map(([name, setting]) => [name, valueOf(setting)]),
  );
  if (!hasEveryLimit(limits)) throw new Error('a limit has no value');
  return limits;
}

/** DEFAULT_LIMITS are the limits in force where nothing else is set. */
export const DEFAULT_LIMITS: Limits = limitsFrom(({ fallback }) => fallback);

function hasEveryLimit(limits: Readonly<Record<string, number>>): limits is Limits {
  return Object.keys(LIMIT_SETTINGS).every((name) => name in limits);
}
