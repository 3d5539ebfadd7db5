const KIB = 1024;
const MIB = 1024 * KIB;

/** Limits bound what one call or one stream can ask of the daemon. Sizes are bytes, times milliseconds. */
export interface Limits {
  readonly maxLoadMessageBytes: number;
  readonly maxMessageBytes: number;
  readonly maxBtfBytes: number;
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  readonly defaultTtlMs: number;
  readonly maxHeldPerStream: number;
  readonly holdStallMs: number;
  readonly defaultLogBytes: number;
  readonly maxLogBytes: number;
  readonly maxAnswerBytes: number;
  readonly maxTokens: number;
  readonly maxTypesBytes: number;
  readonly maxQueuedLoads: number;
  readonly maxQueuedLoadBytes: number;
  readonly maxCBytes: number;
  readonly maxFileBytes: number;
  readonly specCacheBytes: number;
  readonly chunkBytes: number;
  readonly slowReaderMs: number;
  readonly maxStreamsPerConnection: number;
  readonly keepaliveMs: number;
  readonly drainMs: number;
  readonly handshakeMs: number;
  readonly unauthenticatedMs: number;
  readonly reloadPollMs: number;
  readonly maxHandles: number;
  readonly maxHandlesPerPrincipal: number;
  readonly maxHeldBtfBytes: number;
  readonly maxHeldBtfBytesPerPrincipal: number;
  readonly maxCalls: number;
  readonly maxCallsPerPrincipal: number;
  readonly maxStreams: number;
  readonly maxStreamsPerPrincipal: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerPrincipal: number;
  readonly maxMetadataBytes: number;
  readonly maxConnectionIdleMs: number;
  readonly maxConnectionAgeMs: number;
  readonly maxSessionMemoryMiB: number;
  readonly watchIntervalMs: number;
  readonly watchHistory: number;
  readonly minBookmarkMs: number;
  readonly maxBookmarkMs: number;
  readonly defaultBookmarkMs: number;
}

/** DEFAULT_LIMITS are the limits in force, each with its reason. */
export const DEFAULT_LIMITS: Limits = {
  // The kernel's 16 MiB and a margin, so that a BTF that is slightly too large gets the clearer error.
  maxLoadMessageBytes: 17 * MIB,
  // 1000 tokens, or a selection with every list full of ordinary names, fit.
  maxMessageBytes: 64 * KIB,
  // The kernel's BTF_MAX_SIZE.
  maxBtfBytes: 16 * MIB,
  // Shorter ones would spend more on renewing than on work.
  minTtlMs: 1_000,
  // What a client that died without its connection breaking can keep in the kernel at most.
  maxTtlMs: 3_600_000,
  // Long enough for a client that is stopped in a debugger for a moment.
  defaultTtlMs: 60_000,
  // Hides the round trip of closing, at a cost of one fd each.
  maxHeldPerStream: 64,
  holdStallMs: 30_000,
  // The tail of a log is what tells the fault.
  defaultLogBytes: 256 * KIB,
  // More than a person reads, and about what an answer may have.
  maxLogBytes: 4 * MIB,
  // gRPC clients receive 4 MiB by default; 4 KiB for whatever a proxy may add.
  maxAnswerBytes: 4 * MIB - 4 * KIB,
  maxTokens: 1_000,
  // The kernel checks one at a time; who waits behind more than this waits too long.
  maxQueuedLoads: 32,
  // Four of the largest, besides the one that is checked.
  maxQueuedLoadBytes: 64 * MIB,
  // Decoding it takes tens of milliseconds of the event loop; 1 MiB of types is some thousands.
  maxTypesBytes: MIB,
  // A kernel's takes 3 MiB. Hostile BTF prints without bound, in one definition that nothing interrupts.
  maxCBytes: 16 * MIB,
  // A vmlinux is 5 to 10 MiB; a folder may hold anything.
  maxFileBytes: 64 * MIB,
  // About ten kernels.
  specCacheBytes: 64 * MIB,
  // gRPC clients receive 4 MiB by default, and two chunks are what a slow reader costs.
  chunkBytes: 256 * KIB,
  // A reader that takes nothing for this long is gone or broken.
  slowReaderMs: 60_000,
  // Node would let one connection open as many as memory holds.
  maxStreamsPerConnection: 1_000,
  keepaliveMs: 20_000,
  // Shorter than the 20 s after which a ping cuts a session that is being closed.
  drainMs: 10_000,
  // A round trip around the world is a fraction of a second; who says nothing for longer holds a socket for nothing.
  handshakeMs: 10_000,
  // Long enough to be told why; nobody else uses such a connection.
  unauthenticatedMs: 5_000,
  // Four files are looked at each time; who replaces one doesn't wait longer than for a command.
  reloadPollMs: 2_000,
  // A file descriptor each. A process may have some hundred thousand; a kernel with all its modules has some hundred objects.
  maxHandles: 16_384,
  maxHandlesPerPrincipal: 4_096,
  // The kernel took 2.4 times as much memory as the BTF that it was given, which no cgroup is charged for.
  maxHeldBtfBytes: 1024 * MIB,
  maxHeldBtfBytesPerPrincipal: 256 * MIB,
  // Far more than a node's clients have; each takes some kilobytes.
  maxCalls: 2_048,
  maxCallsPerPrincipal: 512,
  // Each may hold two chunks that its reader does not take: half a megabyte.
  maxStreams: 1_024,
  maxStreamsPerPrincipal: 256,
  // A socket and some hundred kilobytes each.
  maxConnections: 1_024,
  maxConnectionsPerPrincipal: 256,
  // What other gRPC servers take is 8 KiB; a trace context and a request id are some hundred bytes.
  maxMetadataBytes: 8 * KIB,
  // A client that comes again connects in milliseconds.
  maxConnectionIdleMs: 15 * 60_000,
  // None: the end of a connection ends the streams on it, and what they hold.
  maxConnectionAgeMs: Infinity,
  // Node ends a session that keeps more. The largest message is a quarter of it.
  maxSessionMemoryMiB: 64,
  // With the time to look and to tell, watchers know within half a second.
  watchIntervalMs: 400,
  // Some 150 bytes each. More than a machine's modules and programs come to in one go.
  watchHistory: 16_384,
  // More often would be traffic and nothing else.
  minBookmarkMs: 1_000,
  maxBookmarkMs: 3_600_000,
  // Proxies take a stream for dead after a minute or more.
  defaultBookmarkMs: 30_000,
};
