import { BtfService, ErrorReason, Operation } from '@btfd/api';
import { Server, type ServerOptions } from '@grpc/grpc-js';
import { type Address, whyRefused } from './base/address.js';
import { systemClock } from './base/clock.js';
import { maxOpenFiles } from './base/max-open-files.js';
import { nodeNameOf } from './base/node-name.js';
import { VERSION } from './base/version.js';
import { wait } from './base/wait.js';
import { DEFAULT_LIMITS, type Limits } from './config/limits.js';
import { ServiceError } from './error/service-error.js';
import { Health } from './grpc/health.js';
import { Calls } from './grpc/interceptor/calls.js';
import { followUnknown } from './grpc/interceptor/unknown-methods.js';
import { Reflection } from './grpc/reflection.js';
import { wireDefinition } from './grpc/serve.js';
import { HandleTable, newEpoch } from './handle/handle-table.js';
import { filesOnly, probeAccess } from './kernel/access.js';
import { BtfFiles, SYSFS_BTF } from './kernel/btf-files.js';
import { KernelFeatures } from './kernel/features.js';
import { healthStatuses } from './kernel/unavailable.js';
import { LoadQueue } from './kernel/load-queue.js';
import { ObjectList } from './kernel/object-list.js';
import { ObjectNames } from './kernel/object-names.js';
import { OwnLoads } from './kernel/own-loads.js';
import { Admission } from './listen/admission.js';
import { MAX_REFUSED } from './listen/connections.js';
import { FdRequests } from './handle/fd-requests.js';
import { Listener, onLoopback, type ListenerOptions } from './listen/listener.js';
import type { Daemon, DaemonOptions, DaemonUsage } from './daemon.js';
import { Observability } from './observe/observability.js';
import { KeptResponses } from './pool/kept-responses.js';
import { WorkerPool } from './pool/worker-pool.js';
import { makeQuotas } from './quota/quotas.js';
import { checkRequestSize } from './rpc/request-size.js';
import { btfService } from './rpc/service.js';
import type { Services } from './rpc/services.js';
import { BtfCache } from './source/btf-cache.js';
import { KernelBuild } from './source/kernel-build.js';
import { SpecSource } from './source/spec-source.js';
import { UserScanner } from './users/user-scanner.js';
import { ObjectWatch } from './watch/object-watch.js';

const PROCFS = '/proc';
/** After the drain, how long the errors of calls that it ended may take to arrive. */
const LAST_ERRORS_MS = 1000;

/** RunningDaemon is a daemon with its parts. */
export interface RunningDaemon extends Daemon {
  readonly services: Services;
}

/** startDaemon starts a daemon, as that of the package does. */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  const { tls = null, insecure = false } = options;
  for (const address of options.addresses) {
    const refusal = whyRefused(address, { tls: tls !== null, insecure });
    if (refusal !== null) throw new Error(refusal);
  }
  // Without TLS, names are resolved, and every address must be a loopback address.
  const addresses =
    tls === null
      ? await Promise.all(options.addresses.map(async (each) => onLoopback(each)))
      : options.addresses;
  const observability = await Observability.start(options);
  try {
    return await startServing({ ...options, addresses }, observability);
  } catch (error) {
    await observability.stop();
    throw error;
  }
}

async function startServing(options: DaemonOptions, observability: Observability): Promise<RunningDaemon> {
  const { logger, tls = null, socketGroup = null } = options;
  const services = await makeServices(options, observability);
  const { quotas, limits } = services;
  const health = new Health(healthStatuses(services.access));
  const admission = await Admission.open({
    policy: options.policy ?? {},
    tls,
    ownUid: process.geteuid?.() ?? 0,
    limits,
    logger,
  });
  const calls = new Calls({ policy: admission.policy, observer: observability.observer, quotas, limits });
  const grpc = new Server(channelOptions(limits));
  const implementation = btfService(services, {
    calls,
    checkRequest: (method, wire) => checkRequestSize(method, wire, limits),
    slowReaderMs: limits.slowReaderMs,
    onInternalError: (method, err, requestId) => logger.error({ requestId, method, err }, 'internal error'),
  });
  grpc.addService(wireDefinition(BtfService), implementation);
  health.addToServer(grpc);
  new Reflection().addToServer(grpc);
  followUnknown(grpc);
  const onConnection = admission.serveWith(grpc, calls, quotas.connections);
  const listening = await listenEverywhere(options.addresses, {
    socketGroup,
    // Quotas count the connections that are served. Connections beyond this sum are closed without an error.
    maxConnections: limits.maxConnections + limits.maxHandshakes + MAX_REFUSED,
    maxFiles: maxOpenFiles() ?? Infinity,
    onConnection,
    onFailure: admission.onFailure,
  }).catch((error) => {
    admission.close();
    throw error;
  });
  const fdListener = await listenForFds(options, admission, services, observability).catch((error) => {
    for (const { listener } of listening) listener.stopAccepting();
    admission.close();
    throw error;
  });
  observability.serving(services, {
    connections: () => connectionsOf(listening),
    refusedConnections: () => admission.refused,
    endedConnections: () => admission.ended,
    certificateEnd: () => admission.certificateEnd,
    reloads: () => admission.reloads,
    workers: () => services.workers.usage,
  });
  const end = async (): Promise<void> => {
    observability.draining();
    const ending = new ServiceError(ErrorReason.SHUTTING_DOWN, 'the daemon is shutting down');
    health.notServing();
    for (const { listener } of listening) listener.stopAccepting();
    fdListener?.stopAccepting();
    admission.close();
    calls.endStreams(ending);
    services.loads.end(ending);
    await drained(grpc, limits.drainMs, () => calls.endAll(ending));
    for (const { listener } of listening) listener.destroyConnections();
    fdListener?.destroyConnections();
    services.handles.closeAll();
    await services.workers.end(ending);
    await observability.stop();
  };
  let ended: Promise<void> | null = null;
  return {
    addresses: listening.map(({ address }) => address),
    metricsAddress: observability.metricsAddress,
    services,
    usage: () => usageOf(services),
    reload: async () => admission.reload(),
    stop: async () => (ended ??= end()),
  };
}

function usageOf({ handles, quotas }: Services): DaemonUsage {
  const { connections, calls, streams, loads, btfBytes, objectBytes } = quotas;
  return {
    handles: handles.size,
    connections: connections.inUse,
    calls: calls.inUse,
    streams: streams.inUse,
    loads: loads.inUse,
    btfBytes: btfBytes.inUse,
    objectBytes: objectBytes.inUse,
  };
}

async function makeServices(
  { kernel, btfDir, limits: own, logger, nodeName = () => nodeNameOf(null, {}) }: DaemonOptions,
  { onLoad, onUnknown }: Pick<Observability, 'onLoad' | 'onUnknown'>,
): Promise<Services & { readonly workers: WorkerPool }> {
  const limits = { ...DEFAULT_LIMITS, ...own };
  const files = new BtfFiles(btfDir ?? SYSFS_BTF, limits.maxFileBytes);
  const access = btfDir === null ? await probeAccess(kernel, files) : filesOnly(btfDir);
  const ownLoads = new OwnLoads(kernel);
  const features = new KernelFeatures(ownLoads);
  // Probed at the start, because a client's load may keep the kernel busy later.
  if (access.refusal(Operation.LOAD) === null) await features.all();
  const loads = new LoadQueue(kernel, limits, onLoad);
  const objects = new ObjectList(kernel, files, access, ownLoads, systemClock);
  // If this fails, the first call that lists objects gets the error.
  await objects.look().catch((err) => logger.warn({ err }, 'cannot list the objects'));
  const names = new ObjectNames(kernel, files, objects);
  const quotas = makeQuotas(limits);
  const handles = new HandleTable(newEpoch(), systemClock, quotas);
  const cache = new BtfCache(limits.specCacheBytes);
  const specs = new SpecSource(kernel, access, files, names, handles, cache, quotas.specBytes, onUnknown);
  const users = new UserScanner(kernel, PROCFS, systemClock);
  const watch = new ObjectWatch(objects, limits, systemClock);
  return {
    version: VERSION,
    nodeName,
    kernel,
    files,
    access,
    features,
    loads,
    objects,
    names,
    handles,
    specs,
    build: new KernelBuild(kernel, files, objects, names, specs),
    users,
    responses: new KeptResponses(limits.responseCacheBytes),
    workers: new WorkerPool(limits, (err) => logger.warn({ err }, 'a worker was terminated')),
    quotas,
    watch,
    limits,
    clock: systemClock,
  };
}

function channelOptions(limits: Limits): ServerOptions {
  return {
    // The largest limit of all methods. Each method also has its own limit, which is checked before decoding.
    'grpc.max_receive_message_length': Math.max(limits.maxLoadMessageBytes, limits.maxObjectMessageBytes),
    // Only a ping detects a client that hangs. The time is longer than the drain, which a ping would cut short.
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveMs,
    'grpc.max_concurrent_streams': limits.maxStreamsPerConnection,
    // Its records of each call and connection cost time and memory, and nothing reads them.
    'grpc.enable_channelz': 0,
    'grpc.max_connection_idle_ms': limits.maxConnectionIdleMs,
    ...(limits.maxConnectionAgeMs === Infinity
      ? {}
      : {
          'grpc.max_connection_age_ms': limits.maxConnectionAgeMs,
          'grpc.max_connection_age_grace_ms': limits.drainMs,
        }),
    ...(limits.maxSessionMemoryMiB === Infinity
      ? {}
      : { 'grpc-node.max_session_memory': limits.maxSessionMemoryMiB }),
  };
}

async function listenEverywhere(
  addresses: readonly Address[],
  options: ListenerOptions,
): Promise<{ readonly listener: Listener; readonly address: Address }[]> {
  const listening: { readonly listener: Listener; readonly address: Address }[] = [];
  try {
    for (const address of addresses) {
      listening.push(await Listener.open(address, options));
    }
    return listening;
  } catch (error) {
    for (const { listener } of listening) listener.stopAccepting();
    throw error;
  }
}

/** Listens for requests of file descriptors, if there is a socket for them. */
async function listenForFds(
  { fdSocket = null, socketGroup = null }: DaemonOptions,
  { policy, onFailure }: Admission,
  { handles, quotas, limits }: Services,
  observability: Observability,
): Promise<Listener | null> {
  if (fdSocket === null) return null;
  const requests = new FdRequests({
    handles,
    policy,
    quota: quotas.connections,
    onEnd: (end) => observability.fdRequested(end),
  });
  const { listener } = await Listener.open(fdSocket, {
    socketGroup,
    // As for other sockets: the quota counts their connections together.
    maxConnections: limits.maxConnections + MAX_REFUSED,
    maxFiles: maxOpenFiles() ?? Infinity,
    onFailure,
    onConnection: (socket, socketGid) => {
      if (socketGid !== null) requests.serve(socket, socketGid);
    },
  });
  return listener;
}

function connectionsOf(
  listening: readonly { readonly listener: Listener; readonly address: Address }[],
): { readonly transport: string; readonly count: number }[] {
  return (['unix', 'tcp'] as const).map((transport) => ({
    transport,
    count: listening
      .filter(({ address }) => address.kind === transport)
      .reduce((sum, { listener }) => sum + listener.connections, 0),
  }));
}

/** Waits until the open calls have ended. After a limited time it ends them, and waits for their errors to arrive. */
async function drained(grpc: Server, ms: number, endCalls: () => void): Promise<void> {
  const down = new Promise<void>((resolve) => grpc.tryShutdown(() => resolve()));
  const onDown = (wake: () => void): void => void down.then(wake);
  if (await wait(onDown, { ms })) return;
  endCalls();
  await wait(onDown, { ms: LAST_ERRORS_MS });
}
