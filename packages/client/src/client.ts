import { create } from '@bufbuild/protobuf';
import {
  GetHandleByIdRequestSchema,
  GetServerInfoRequestSchema,
  type LoadHandleRequest,
  type LoadHandleResponse,
} from '@btfd/api';
import type { Builder, Spec } from '@btfd/btf';
import { aFunction, aListOf, aString, aUint32, aTtl, checkOptions, type Rules } from './error/argument.js';
import { clientError } from './error/client-error.js';
import { CALL_RULES, type CallOptions, LEASE_RULES, type LeaseOptions } from './call/call-options.js';
import {
  type BtfClientOptions,
  checkClientOptions,
  connectionOptions,
  credentialsOf,
} from './call/client-options.js';
import { systemClock } from './base/clock.js';
import { Connection } from './call/connection.js';
import { fetchCHeader } from './btf/c-header.js';
import { type DaemonChange, DaemonPin } from './call/daemon-pin.js';
import { durationFromMs } from './base/duration.js';
import { type Handle, leasedHandle } from './handle.js';
import type { HandleInfo } from './object/handle-info.js';
import { invalidResponse } from './error/invalid-response.js';
import { ITERATE_RULES, iterateHandles, type IterateOptions, listObjects } from './iterate-handles.js';
import type { IteratedHandle } from './iterated-handle.js';
import { LeaseKeeper } from './lease/lease-keeper.js';
import { type LoadOptions, loadRequest, type LoadResult } from './load-request.js';
import { fetchMembers, type MemberResult } from './btf/member-result.js';
import { methods } from './call/methods.js';
import { RemoteObject, SPEC_RULES, type SpecOptions } from './remote-object.js';
import { type ServerInfo, serverInfoFromMessage } from './object/server-info.js';
import { fetchSelectedTypes, type SelectedTypes } from './btf/selected-types.js';
import { checkSelection, type Selection } from './btf/selection.js';
import type { Session } from './session.js';
import { SpecStore } from './btf/spec-store.js';
import { closeTokens, renewTokens } from './token-calls.js';
import { TRANSFER_RULES, type TransferOptions } from './btf/transfer-progress.js';
import { verifierLogFromMessage } from './error/verifier-log.js';
import type { WatchEvent } from './object/watch-event.js';
import { watchHandles, type WatchOptions } from './watch-handles.js';

/** A daemon on the same network answers within milliseconds; what takes this long is lost. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** The kernel's check of a large BTF can take seconds, and the daemon loads one at a time. */
const DEFAULT_LOAD_TIMEOUT_MS = 120_000;

/** Closing a client tells a daemon that answers, and does not wait for one that does not. */
const CLOSE_TIMEOUT_MS = 2_000;

/** FindOptions are the options of finding a handle. */
export interface FindOptions extends IterateOptions {
  /** The TTL to ask for, in milliseconds. Default: the daemon's. */
  readonly ttl?: number | undefined;
}

const FIND_RULES: Rules<FindOptions> = { ...ITERATE_RULES, ttl: aTtl };

/**
 * BtfClient is the client of one daemon. It connects when it is first used, and reconnects by itself. It can be used by
 * any number of callers at the same time. Neither it nor its handles keep the process alive; calls, iterations and
 * watches do while they are under way.
 *
 * Calls reject with a {@link BtfError}, except when their `signal` is aborted: then with its reason. Arguments of
 * another type, and options that are unknown, make an INVALID_REQUEST that names them, as what the daemon does not accept.
 */
export class BtfClient implements AsyncDisposable {
  readonly #session: Session;
  readonly #onDaemonChange: ((change: DaemonChange) => void) | null;
  #closing: Promise<void> | null = null;

  /**
   * @param address `unix:/path` or `host:port`.
   * @throws BtfError INVALID_REQUEST for an option that is unknown, is of another type or contradicts another.
   */
  constructor(address: string, options: BtfClientOptions = {}) {
    checkClientOptions(address, options);
    const { timeout = DEFAULT_TIMEOUT_MS, onDaemonChange } = options;
    const connection = new Connection(address, credentialsOf(options), connectionOptions(options));
    const leases = new LeaseKeeper(
      {
        renew: async (tokens, limits) => renewTokens(connection, tokens, { ...limits, retries: 0 }),
        daemonEpoch: async (limits) => (await this.serverInfo(limits)).daemonEpoch,
      },
      systemClock,
      timeout,
    );
    const daemon = new DaemonPin((change) => this.#daemonChanged(change));
    this.#onDaemonChange = onDaemonChange ?? null;
    this.#session = {
      connection,
      leases,
      specs: new SpecStore(connection, options),
      daemon,
      timeout,
      clock: systemClock,
      doubtful: new Set(),
    };
    connection.watch({ up: () => this.#connected(), down: () => leases.hurry() });
  }

  /**
   * loadHandle loads BTF into the kernel.
   *
   * @param btf BTF in the daemon's byte order, at most 16 MiB, or a `Builder`, which is marshalled here.
   * @throws BtfError VERIFIER_REJECTED with a `verifierLog` of at most 3 KiB, BTF_TOO_LARGE,
   * DAEMON_LACKS_CAPABILITY (loading needs CAP_BPF), …
   */
  async loadHandle(btf: Uint8Array | Builder, options: LoadOptions = {}): Promise<Handle> {
    const askedAt = this.#session.clock.now();
    const { result } = await this.#load(loadRequest(btf, options, false), options);
    if (result.case !== 'handle') throw invalidResponse('handle');
    return leasedHandle(this.#session, result.value, askedAt);
  }

  /**
   * tryLoadHandle loads BTF into the kernel, and answers a refusal by the kernel's verifier as a result,
   * with all of the log that was asked for. Whatever else goes wrong is an error as in {@link loadHandle}.
   */
  async tryLoadHandle(btf: Uint8Array | Builder, options: LoadOptions = {}): Promise<LoadResult> {
    const askedAt = this.#session.clock.now();
    const { result } = await this.#load(loadRequest(btf, options, true), options);
    if (result.case !== 'rejection') {
      return { handle: leasedHandle(this.#session, result.value, askedAt), rejection: null };
    }
    const { errno, errnoName, log } = result.value;
    return { handle: null, rejection: { errno, errnoName, log: verifierLogFromMessage(log) } };
  }

  /**
   * getHandleById opens the object with a BTF id.
   *
   * @throws BtfError BTF_ID_NOT_FOUND; DAEMON_LACKS_CAPABILITY (ids need CAP_SYS_ADMIN); …
   */
  async getHandleById(id: number, options: LeaseOptions = {}): Promise<Handle> {
    aUint32('id', id);
    checkOptions(options, LEASE_RULES);
    const { ttl, signal, timeout = this.#session.timeout } = options;
    const askedAt = this.#session.clock.now();
    const { handle } = await this.#session.connection.unary(
      methods.getHandleById,
      create(GetHandleByIdRequestSchema, { id, ttl: durationFromMs(ttl) }),
      { signal, timeout },
    );
    return leasedHandle(this.#session, handle, askedAt);
  }

  /**
   * iterateHandles visits the objects in the kernel in the order of ids. Each comes with a handle that is
   * valid until the loop goes on; its `take()` keeps it. Leaving the loop ends the call and closes what it holds. The
   * loop's body may take as long as it likes: meanwhile the client tells the daemon every 10 s that it is still there.
   *
   * ```ts
   * for await (const handle of client.iterateHandles({ origins: ['module'] })) {
   *   console.log(handle.info.name);
   * }
   * ```
   *
   * @throws BtfError DAEMON_LACKS_CAPABILITY or OPERATION_UNAVAILABLE (holding needs CAP_SYS_ADMIN; without it use
   * {@link listObjects}); HOLD_STALLED.
   */
  iterateHandles(options: IterateOptions = {}): AsyncGenerator<IteratedHandle, void, undefined> {
    return iterateHandles(this.#session, options);
  }

  /** listObjects answers what is in the kernel, in the order of ids, without holding it: ids can be gone by then. */
  async listObjects(options: IterateOptions = {}): Promise<HandleInfo[]> {
    return listObjects(this.#session, options);
  }

  /**
   * watchHandles tells which objects are in the kernel, then which come and go: `present` for each that is there,
   * `synced`, and from then on `added` and `removed`. It holds none of them. Leaving the loop ends the call.
   *
   * Until `synced` every failure is thrown. After it the watch goes on by itself when the connection breaks or the
   * daemon restarts, for as long as it takes: events that happened meanwhile are told late, none twice. Where the daemon
   * does not know them any more, the client lists anew and tells the difference; then `synced` comes again.
   *
   * ```ts
   * for await (const event of client.watchHandles({ origins: ['module'] })) {
   *   if (event.type === 'added') console.log(event.info.name);
   * }
   * ```
   *
   * @throws BtfError what is not mended by waiting, such as an end of the caller's rights.
   */
  watchHandles(options: WatchOptions = {}): AsyncGenerator<WatchEvent, void, undefined> {
    return watchHandles(this.#session, options);
  }

  /**
   * findHandle answers a handle on the first object for which a predicate is true. The predicate runs here,
   * while the object is held open, and may take as long as it likes.
   *
   * @throws BtfError NO_MATCH where there is none; what {@link iterateHandles} throws.
   */
  async findHandle(
    predicate: (info: HandleInfo) => boolean | Promise<boolean>,
    options: FindOptions = {},
  ): Promise<Handle> {
    aFunction('predicate', predicate);
    checkOptions(options, FIND_RULES);
    const { ttl, ...iteration } = options;
    for await (const handle of this.iterateHandles(iteration)) {
      if (await predicate(handle.info)) return handle.take({ ttl, signal: options.signal });
    }
    throw clientError('NO_MATCH', 'no BTF object matches');
  }

  /**
   * spec answers the type information of an object of the kernel by name: `vmlinux`, or a module's. It
   * needs no privilege of the daemon.
   *
   * @throws BtfError NAME_NOT_FOUND, KERNEL_WITHOUT_BTF, MISSING_BASE, …
   */
  async spec(name: string, options: SpecOptions = {}): Promise<Spec> {
    aString('name', name);
    checkOptions(options, SPEC_RULES);
    const { base, ...transfer } = options;
    const { specs } = this.#session;
    const raw = await specs.rawByName(name, transfer);
    return specs.parse(raw, base instanceof RemoteObject ? await base.spec(transfer) : base, transfer);
  }

  /**
   * rawBtf answers the BTF of an object of the kernel by name, as the kernel holds it: a copy, for the caller to keep.
   *
   * @throws what {@link spec} throws.
   */
  async rawBtf(name: string, options: TransferOptions = {}): Promise<Uint8Array> {
    aString('name', name);
    checkOptions(options, TRANSFER_RULES);
    return (await this.#session.specs.rawByName(name, options)).bytes.slice();
  }

  /**
   * selectTypes answers some types of an object of the kernel by name, with all that they refer to, as a Spec of their
   * own. It needs no privilege of the daemon.
   *
   * @throws what {@link spec} throws.
   */
  async selectTypes(
    name: string,
    selection: Selection,
    options: TransferOptions = {},
  ): Promise<SelectedTypes> {
    aString('name', name);
    checkSelection(selection);
    checkOptions(options, TRANSFER_RULES);
    return fetchSelectedTypes(this.#session.connection, { case: 'name', value: name }, selection, options);
  }

  /**
   * resolveMembers answers where members are in an object of the kernel by name, such as `vmlinux`. At most 1000
   * paths; a path that leads nowhere has its own error. It needs no privilege of the daemon.
   *
   * ```ts
   * const [pgd] = await client.resolveMembers('vmlinux', ['task_struct.mm.pgd']);
   * ```
   */
  async resolveMembers(
    name: string,
    paths: readonly string[],
    options: CallOptions = {},
  ): Promise<MemberResult[]> {
    aString('name', name);
    aListOf(aString)('paths', paths);
    checkOptions(options, CALL_RULES);
    const { signal, timeout = this.#session.timeout } = options;
    return fetchMembers(this.#session.connection, { case: 'name', value: name }, paths, { signal, timeout });
  }

  /**
   * cHeader answers an object of the kernel by name as a C header, or the selected types with all that they need. It
   * needs no privilege of the daemon.
   *
   * @throws BtfError OUTPUT_TOO_LARGE; NO_MATCH for what was selected and is not there.
   */
  async cHeader(name: string, selection: Selection = {}, options: TransferOptions = {}): Promise<string> {
    aString('name', name);
    checkSelection(selection);
    checkOptions(options, TRANSFER_RULES);
    return fetchCHeader(this.#session.connection, { case: 'name', value: name }, selection, options);
  }

  /** serverInfo tells what the daemon is, what it can do and why it cannot do the rest. */
  async serverInfo(options: CallOptions = {}): Promise<ServerInfo> {
    checkOptions(options, CALL_RULES);
    const { signal, timeout = this.#session.timeout } = options;
    const request = create(GetServerInfoRequestSchema);
    const { connection, daemon } = this.#session;
    const info = serverInfoFromMessage(
      await connection.unary(methods.getServerInfo, request, { signal, timeout }),
    );
    daemon.observe(info.daemonEpoch, info.bootId);
    return info;
  }

  /**
   * close ends the client: handles that are still open are closed, as far as the daemon answers within 2 s;
   * calls in progress fail with CLIENT_CLOSED. Never rejects; closing again does nothing.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes the client. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const { connection, leases, doubtful } = this.#session;
    const tokens = [...leases.stop(), ...doubtful];
    const limits = { timeout: CLOSE_TIMEOUT_MS, retries: 0 };
    await closeTokens(connection, tokens, limits).catch(() => {});
    connection.close();
    await orAfter(this.#session.specs.settled(), CLOSE_TIMEOUT_MS);
  }

  /** There is a new connection: perhaps to another daemon. */
  #connected(): void {
    // Handles find out by their renewal.
    if (this.#onDaemonChange !== null) void this.#askDaemon();
  }

  #daemonChanged(change: DaemonChange): void {
    this.#session.leases.loseOthers(change.current.epoch);
    if (this.#onDaemonChange !== null) void this.#tellChange(change, this.#onDaemonChange);
  }

  async #tellChange(change: DaemonChange, tell: (change: DaemonChange) => void): Promise<void> {
    const { previous, current } = change;
    const bootId = current.bootId ?? (await this.#askDaemon())?.bootId ?? null;
    // What it throws is the program's, as with any event.
    queueMicrotask(() => tell({ previous, current: { ...current, bootId } }));
  }

  /** Null where the daemon does not answer. */
  async #askDaemon(): Promise<ServerInfo | null> {
    return this.serverInfo().catch(() => null);
  }

  async #load(request: LoadHandleRequest, options: LoadOptions): Promise<LoadHandleResponse> {
    const { signal, timeout = DEFAULT_LOAD_TIMEOUT_MS } = options;
    return this.#session.connection.unary(methods.loadHandle, request, { signal, timeout });
  }
}

/** Waits for something, but no longer than some time. */
async function orAfter(done: Promise<void>, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = systemClock.setTimer(resolve, ms);
    void done.then(resolve).finally(cancel);
  });
}
