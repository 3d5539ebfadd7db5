import type { LoadHandleResponse } from '@btfd/api';
import type { Builder, Spec } from '@btfd/btf';
import type { MemberResult } from './btf/member-result.js';
import type { CHeaderOptions, SelectedTypes } from './btf/selected-types.js';
import type { Selection } from './btf/selection.js';
import type { TransferOptions } from './btf/transfer-progress.js';
import { type CallOptions, LEASE_RULES, type LeaseOptions, ttlMessage } from './call/call-options.js';
import { type BtfClientOptions, checkClientOptions } from './call/client-options.js';
import type { RequestOf } from './call/methods.js';
import { checkObject, type CheckObjectOptions, checkObjectStream } from './check-object.js';
import { aFunction, aTtl, aUint32, checkOptions, type Rules } from './error/argument.js';
import { clientError, invalidResponse } from './error/btf-error.js';
import { verifierLogFromMessage } from './error/verifier-log.js';
import { type Handle, leasedHandle } from './handle.js';
import {
  ITERATE_RULES,
  iterateHandles,
  type IterateOptions,
  type ListObjectsOptions,
  listObjects,
} from './iterate-handles.js';
import type { IteratedHandle } from './iterated-handle.js';
import { type LoadOptions, loadRequest, type LoadResult } from './load-request.js';
import type { HandleInfo } from './object/handle-info.js';
import type { ObjectReport, ObjectReportPart } from './object/object-report.js';
import { SERVER_INFO_RULES, type ServerInfoOptions } from './object/server-detail.js';
import type { ServerInfo } from './object/server-info.js';
import type { WatchEvent } from './object/watched-objects.js';
import { NamedBtf, type SelectedOptions, type SpecOptions } from './remote-btf.js';
import { Session } from './session.js';
import { watchHandles, type WatchOptions } from './watch-handles.js';

/** The kernel's check of a large BTF can take seconds, and the daemon loads one at a time. */
const DEFAULT_LOAD_TIMEOUT_MS = 120_000;

/** FindOptions are the options of finding a handle. */
export interface FindOptions extends IterateOptions {
  /** The TTL to request, in milliseconds. Default: the daemon's, 60 s unless its operator changed it. */
  readonly ttl?: number | undefined;
}

const FIND_RULES: Rules<FindOptions> = { ...ITERATE_RULES, ttl: aTtl };

/**
 * BtfClient is a client of one daemon. It connects when it is first used, and reconnects automatically. Any number of
 * callers can use it at the same time. Neither the client nor its handles keep the process alive; a call, an iteration
 * or a watch in progress does.
 *
 * Calls reject with a {@link BtfError}, except that a call whose `signal` is aborted rejects with the signal's reason.
 * Wrong argument types and unknown options are rejected with INVALID_REQUEST, as the daemon would reject them.
 */
export class BtfClient implements AsyncDisposable {
  readonly #session: Session;
  #closing: Promise<void> | null = null;

  /**
   * The constructor does not connect.
   *
   * @param address `unix:/PATH` or `HOST:PORT`.
   * @throws BtfError INVALID_REQUEST for an invalid address, for an option that is unknown, has another type or
   * contradicts another one, and for certificates that cannot be used.
   */
  constructor(address: string, options: BtfClientOptions = {}) {
    checkClientOptions(address, options);
    this.#session = new Session(address, options);
  }

  /**
   * Whether there is a connection to the daemon now. A client connects with its first call, and again when a call finds that the
   * connection broke.
   */
  get connected(): boolean {
    return this.#session.connection.connected;
  }

  /**
   * loadHandle loads BTF into the kernel and returns a handle on it. The kernel keeps the BTF until the last handle is
   * closed. The daemon needs CAP_BPF and Linux 4.18, and the caller the role loader. Modelled on `btf.NewHandle` and
   * `btf.NewHandleFromRawBTF` of cilium/ebpf.
   *
   * @param btf BTF in the daemon's byte order, at most 16 MiB; or a `Builder` without a base, which the client marshals; or
   * the object file of a BPF program, whose BTF the client prepares as libbpf does (`prepareBtf` of `@btfd/btf`).
   * @throws BtfError INVALID_REQUEST for an ELF file whose BTF cannot be prepared. Its `cause` is the BtfFormatError.
   * @throws BtfError VERIFIER_REJECTED if the kernel refuses the BTF; its `verifierLog` has at most 3 KiB.
   * @throws BtfError BTF_TOO_LARGE for BTF above 16 MiB; MESSAGE_TOO_LARGE if it is also above the daemon's limit.
   * @throws BtfError BTF_UNBUILDABLE if the daemon cannot read the BTF to estimate its cost.
   * @throws BtfError BTF_TOO_EXPENSIVE if the kernel would take too long to check the BTF.
   * @throws BtfError BTF_UNSAFE if some kernels cannot check the BTF safely.
   * @throws BtfError LOAD_QUEUE_FULL if too many loads wait for the kernel.
   * @throws BtfError DAEMON_LACKS_CAPABILITY if the daemon lacks CAP_BPF.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  async loadHandle(btf: Uint8Array | Builder, options: LoadOptions = {}): Promise<Handle> {
    const askedAt = this.#session.clock.now();
    const { result } = await this.#load(loadRequest(btf, options, false), options);
    if (result.case !== 'handle') throw invalidResponse('handle');
    return leasedHandle(this.#session, result.value, askedAt);
  }

  /**
   * tryLoadHandle loads BTF into the kernel and returns a handle on it or, if the kernel refuses it, the
   * rejection with the whole requested log. It needs the same privileges as {@link loadHandle}.
   *
   * @param btf as in {@link loadHandle}.
   * @throws BtfError as {@link loadHandle} does, except for VERIFIER_REJECTED.
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
   * getHandleById opens the object with a BTF id and returns a handle on it. The daemon needs CAP_SYS_ADMIN. A user's
   * object needs the role inspector. Before Linux 5.11 the kernel's own BTF has no id. Modelled on
   * `btf.NewHandleFromID` of cilium/ebpf.
   *
   * @throws BtfError BTF_ID_NOT_FOUND if no object has the id.
   * @throws BtfError DAEMON_LACKS_CAPABILITY if the daemon lacks CAP_SYS_ADMIN.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  async getHandleById(id: number, options: LeaseOptions = {}): Promise<Handle> {
    aUint32('id', id);
    checkOptions(options, LEASE_RULES);
    const { ttl, signal, timeout = this.#session.timeout } = options;
    const askedAt = this.#session.clock.now();
    const { handle } = await this.#session.connection.unary(
      'getHandleById',
      { id, ttl: ttlMessage(ttl) },
      { signal, timeout },
    );
    return leasedHandle(this.#session, handle, askedAt);
  }

  /**
   * iterateHandles visits the objects in the kernel in id order. Each comes with a handle that is valid until the loop
   * continues; its `take()` keeps it. Leaving the loop ends the call and closes the handles that it holds. The loop body
   * may take any amount of time: the client reports to the daemon every 10 s that it is alive. The daemon needs CAP_SYS_ADMIN;
   * without it use {@link listObjects}. Viewers get only the kernel's objects. Before Linux 5.11 vmlinux has no id and cannot
   * be taken, and modules have no BTF. Modelled on `btf.HandleIterator` of
   * cilium/ebpf.
   *
   * ```ts
   * for await (const handle of client.iterateHandles({ origins: ['module'] })) {
   *   console.log(handle.info.name);
   * }
   * ```
   *
   * @throws BtfError DAEMON_LACKS_CAPABILITY or OPERATION_UNAVAILABLE if the daemon lacks CAP_SYS_ADMIN.
   * @throws BtfError HOLD_STALLED if the process did not run for so long that the daemon ended the call.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  iterateHandles(options: IterateOptions = {}): AsyncGenerator<IteratedHandle, void, undefined> {
    return iterateHandles(this.#session, options);
  }

  /**
   * listObjects returns the objects in the kernel in id order. It holds none of them, so an id may be stale by the time
   * you use it. Without CAP_SYS_ADMIN the daemon lists the objects that the kernel shows as files, with id 0. Viewers get
   * only the kernel's objects. Modelled on `bpftool btf list`.
   *
   * @throws BtfError DAEMON_LACKS_CAPABILITY if `details` has `users` and the daemon lacks CAP_SYS_ADMIN.
   * @throws BtfError INVALID_RESPONSE for more objects than `maxObjects`.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  async listObjects(options: ListObjectsOptions = {}): Promise<HandleInfo[]> {
    return listObjects(this.#session, options);
  }

  /**
   * watchHandles reports the objects in the kernel, and then those that come and go: `present` for each object that exists,
   * `synced`, and from then on `added` and `removed`. It holds none of them. Leaving the loop ends the call. Without
   * CAP_SYS_ADMIN the daemon watches the objects that the kernel shows as files, with id 0. Viewers get only the kernel's
   * objects.
   *
   * Until `synced` every failure is thrown. After it the watch resumes automatically when the connection breaks or the
   * daemon restarts, however long that takes. Events from the meantime arrive late, but no event arrives twice. If the
   * daemon no longer knows them, the client lists the objects again and reports the differences, then `synced` again.
   *
   * ```ts
   * for await (const event of client.watchHandles({ origins: ['module'] })) {
   *   if (event.type === 'added') console.log(event.info.name);
   * }
   * ```
   *
   * @throws BtfError for every call, see {@link BtfError}. After `synced` only for errors that a retry cannot fix, for
   * example a lost role.
   */
  watchHandles(options: WatchOptions = {}): AsyncGenerator<WatchEvent, void, undefined> {
    return watchHandles(this.#session, options);
  }

  /**
   * findHandle returns a handle on the first object for which a predicate returns true. The predicate runs in this
   * process while the object is held open, and may take any amount of time. The daemon needs CAP_SYS_ADMIN. Modelled on
   * `btf.FindHandle` of cilium/ebpf.
   *
   * @throws BtfError NO_MATCH if the predicate is never true.
   * @throws BtfError NOT_HOLDABLE if the object has no id: before Linux 5.11 vmlinux has none. {@link spec} reads it.
   * @throws BtfError as {@link iterateHandles} does.
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
   * spec returns the type information of an object of the kernel by its name: `vmlinux` or a module. The daemon needs no
   * capability. Modelled on `btf.LoadKernelSpec` and `btf.LoadKernelModuleSpec` of cilium/ebpf.
   *
   * @throws BtfError NAME_NOT_FOUND if there is no object with the name; KERNEL_WITHOUT_BTF if the kernel was built
   * without BTF.
   * @throws BtfError as `spec` of a {@link Handle} does.
   */
  async spec(name: string, options: SpecOptions & SelectedOptions = {}): Promise<Spec> {
    return this.#named(name).spec(options);
  }

  /**
   * rawBtf returns the BTF of an object of the kernel, by its name, as the kernel holds it. It is a copy that the caller
   * may change. The daemon needs no capability.
   *
   * @throws BtfError NAME_NOT_FOUND or KERNEL_WITHOUT_BTF, as {@link spec} does.
   * @throws BtfError as `rawBtf` of a {@link Handle} does.
   */
  async rawBtf(name: string, options: TransferOptions = {}): Promise<Uint8Array> {
    return this.#named(name).rawBtf(options);
  }

  /**
   * selectTypes returns some types of an object of the kernel, by its name, with every type that they refer to, as a
   * Spec of their own. The daemon needs no capability.
   *
   * @throws BtfError NAME_NOT_FOUND or KERNEL_WITHOUT_BTF, as {@link spec} does.
   * @throws BtfError as `selectTypes` of a {@link Handle} does.
   */
  async selectTypes(
    name: string,
    selection: Selection,
    options: TransferOptions = {},
  ): Promise<SelectedTypes> {
    return this.#named(name).selectTypes(selection, options);
  }

  /**
   * resolveMembers returns where members are in an object of the kernel, by its name. It takes at most 1000 paths and
   * returns one result per path. If a path has no member, its result has an `error`. The daemon needs no capability.
   *
   * ```ts
   * const [pgd] = await client.resolveMembers('vmlinux', ['task_struct.mm.pgd']);
   * ```
   *
   * @throws BtfError NAME_NOT_FOUND or KERNEL_WITHOUT_BTF, as {@link spec} does.
   * @throws BtfError as `resolveMembers` of a {@link Handle} does.
   */
  async resolveMembers(
    name: string,
    paths: readonly string[],
    options: CallOptions = {},
  ): Promise<MemberResult[]> {
    return this.#named(name).resolveMembers(paths, options);
  }

  /**
   * cHeader returns an object of the kernel, by its name, as a C header, or the selected types with all that they need.
   * The daemon needs no capability. Modelled on `btf dump format c` of bpftool 7.8.
   *
   * @throws BtfError NAME_NOT_FOUND or KERNEL_WITHOUT_BTF, as {@link spec} does.
   * @throws BtfError as `cHeader` of a {@link Handle} does.
   */
  async cHeader(name: string, selection: Selection = {}, options: CHeaderOptions = {}): Promise<string> {
    return this.#named(name).cHeader(selection, options);
  }

  /**
   * checkObject reports whether a loader could load a BPF object into the daemon's kernel, as far as BTF shows: the CO-RE
   * relocations of each program, whether the verifier gets to those that fail, and what else the programs need. Nothing is
   * loaded. It does not judge whether the verifier accepts the logic of the programs; `notJudged` lists needs that BTF does
   * not decide. The client sends the object without its debug information. The daemon needs no capability, unless `kernel`
   * is an id.
   *
   * ```ts
   * const { verdict, programs } = await client.checkObject(readFileSync('agent.bpf.o'));
   * ```
   *
   * @param object a BPF object, at most 8 MiB without debug information. `findBpfObjects` of `@btfd/btf` finds those in an
   * executable.
   * @throws BtfError OBJECT_UNREADABLE if it is not an object of BPF programs, or contradicts itself.
   * @throws BtfError OBJECT_WITHOUT_BTF if it was compiled without `-g`.
   * @throws BtfError MESSAGE_TOO_LARGE if it is larger than the daemon accepts.
   * @throws BtfError NAME_NOT_FOUND if a module in `modules` is not loaded; KERNEL_WITHOUT_BTF if the kernel was built
   * without BTF.
   * @throws BtfError WORK_TOO_LARGE if the check takes the daemon too much time or memory.
   * @throws BtfError HANDLE_NOT_FOUND, HANDLE_OF_EARLIER_DAEMON, LEASE_EXPIRED, HANDLE_CLOSED or BTF_ID_NOT_FOUND for `kernel`.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  async checkObject(object: Uint8Array, options: CheckObjectOptions = {}): Promise<ObjectReport> {
    return checkObject(this.#session, object, options);
  }

  /**
   * checkObjectStream is {@link checkObject} in parts: the header, each program as soon as it is judged, and the summary. It
   * holds one program at a time. Leaving the loop ends the call.
   *
   * ```ts
   * for await (const part of client.checkObjectStream(object, { all: true })) {
   *   if (part.type === 'program') console.log(part.program.name, part.program.verdict);
   * }
   * ```
   *
   * @throws BtfError as {@link checkObject} does.
   */
  checkObjectStream(
    object: Uint8Array,
    options: CheckObjectOptions = {},
  ): AsyncGenerator<ObjectReportPart, void, undefined> {
    return checkObjectStream(this.#session, object, options);
  }

  /**
   * serverInfo returns the daemon's version and kernel, the operations that it offers, and why it does not offer the
   * others. With `details: ['digests']` it also identifies the build of the kernel.
   *
   * @throws BtfError BTF_UNDECODABLE if `details` has `digests` and the daemon cannot read a file of BTF.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  async serverInfo(options: ServerInfoOptions = {}): Promise<ServerInfo> {
    checkOptions(options, SERVER_INFO_RULES);
    return this.#session.serverInfo(options);
  }

  /**
   * close ends the client. Handles that are open are closed, if the daemon responds within 2 s. Calls in progress fail
   * with CLIENT_CLOSED. The connection is closed, also if the daemon does not respond. Never rejects. Closing again does
   * nothing.
   */
  close(): Promise<void> {
    this.#closing ??= this.#session.close();
    return this.#closing;
  }

  /** Closes the client. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #named(name: string): NamedBtf {
    return new NamedBtf(this.#session, name);
  }

  async #load(request: RequestOf<'loadHandle'>, options: LoadOptions): Promise<LoadHandleResponse> {
    const { signal, timeout = DEFAULT_LOAD_TIMEOUT_MS } = options;
    return this.#session.connection.unary('loadHandle', request, { signal, timeout });
  }
}
