import { randomUUID } from 'node:crypto';
import { BtfService } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { aCount, aListOf, aString, checkOptions, milliseconds, rule, type Rules } from '../error/argument.js';
import { aMethod, type FakeCall, FakeCalls, type FakeFailure, type MethodName } from './fake-calls.js';
import { type FakeHandle, FakeHandles } from './fake-handles.js';
import { FakeKernel } from './fake-kernel.js';
import { aFakeObject, type FakeObject, type FakeObjectInit } from './fake-object.js';
import { fakeRpcs } from './fake-rpcs.js';
import { FakeServer } from './fake-server.js';
import { FakeWatch } from './fake-watch.js';

/** More than the kernel's limit on BTF, so that the limit is what rejects a load. */
const MAX_MESSAGE_BYTES = 20 * 1024 * 1024;

/** FakeDaemonOptions are the options of a {@link FakeDaemon}. */
export interface FakeDaemonOptions {
  /** The objects in the kernel, vmlinux before the modules that continue it. Default: none. */
  readonly objects?: readonly FakeObjectInit[] | undefined;
  /** The address to listen on: `HOST:PORT` or `unix:/PATH`. Default: a free port of 127.0.0.1. */
  readonly listen?: string | undefined;
  /** The server credentials of grpc-js. Default: no TLS. */
  readonly credentials?: ServerCredentials | undefined;
  /** The TTL that is granted if a call requests none, in milliseconds. Default: 60 s, as in the daemon. */
  readonly defaultTtl?: number | undefined;
  /** Maximum number of handles that one iteration holds. Default: 64, as in the daemon. */
  readonly maxHeld?: number | undefined;
  /** The kernel's release, as `uname -r` prints it. Default: `6.18.0-fake`. */
  readonly kernelRelease?: string | undefined;
  /** The name of the node. Default: `fake-node`. */
  readonly nodeName?: string | undefined;
  /** The bytes of BTF or text in each message of a transfer. Default: 256 KiB, as in the daemon. */
  readonly chunkBytes?: number | undefined;
  /** The milliseconds before each of them. Default: 0. */
  readonly chunkDelay?: number | undefined;
}

const DAEMON_RULES: Rules<FakeDaemonOptions> = {
  objects: aListOf(aFakeObject),
  listen: aString,
  credentials: rule('ServerCredentials of grpc-js', (value) => value instanceof ServerCredentials),
  defaultTtl: milliseconds,
  maxHeld: aCount,
  kernelRelease: aString,
  nodeName: aString,
  chunkBytes: rule('a positive number', (value) => typeof value === 'number' && value > 0),
  chunkDelay: milliseconds,
};

/**
 * FakeDaemon serves `btf.v1` in this process from BTF that a test gives it. It is for tests of programs that use this
 * package, and needs neither root nor Linux.
 *
 * ```ts
 * await using daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf }] });
 * await using client = new BtfClient(daemon.address);
 * ```
 *
 * Handles, leases, iterations, watches, loads (checked by `validate` of `@btfd/btf`), specs and checks of BPF objects (by
 * `checkObject` of `@btfd/btf`) work as with a daemon that has every capability. It lacks `LoadHandle` of types and `Spec` as TYPES, which this package does not use, the
 * adaptation to older kernels, roles and limits. Therefore it accepts most requests that exceed a limit of the daemon.
 */
export class FakeDaemon implements AsyncDisposable {
  readonly #options: FakeDaemonOptions;
  readonly #kernel = new FakeKernel();
  readonly #calls = new FakeCalls();
  #address: string;
  #bootId = randomUUID();
  #epoch = randomUUID();
  #handles: FakeHandles;
  #watch: FakeWatch;
  #server: Server | null = null;

  private constructor(options: FakeDaemonOptions) {
    this.#options = options;
    this.#address = options.listen ?? '127.0.0.1:0';
    this.#handles = new FakeHandles(this.#kernel, this.#epoch);
    for (const object of options.objects ?? []) this.#kernel.add(object);
    this.#watch = new FakeWatch(this.#kernel, this.#epoch, this.#bootId);
  }

  /**
   * start starts a daemon. The caller disposes of it or stops it.
   *
   * @throws BtfError INVALID_REQUEST for an option that is unknown or has another type.
   * @throws TypeError if two objects have the same id; BtfFormatError of `@btfd/btf` for an object that is not BTF.
   * @throws Error of grpc-js, if it cannot listen on the address.
   */
  static async start(options: FakeDaemonOptions = {}): Promise<FakeDaemon> {
    checkOptions(options, DAEMON_RULES);
    const daemon = new FakeDaemon(options);
    await daemon.#listen();
    return daemon;
  }

  /** The address on which it listens, as a `BtfClient` takes it. */
  get address(): string {
    return this.#address;
  }

  /** The id of the daemon's run. */
  get epoch(): string {
    return this.#epoch;
  }

  /** The objects in the kernel, in id order. */
  get objects(): readonly FakeObject[] {
    return this.#kernel.objects;
  }

  /** The handles that are open. */
  get handles(): readonly FakeHandle[] {
    return this.#handles.open;
  }

  /** The calls that it received, in order. */
  get calls(): readonly FakeCall[] {
    return this.#calls.all;
  }

  /** callsOf returns the calls of a method, such as `spec`, in order. @throws BtfError INVALID_REQUEST for an unknown method. */
  callsOf<M extends MethodName>(method: M): FakeCall<M>[] {
    aMethod('method', method);
    return this.#calls.of(method);
  }

  /**
   * addObject adds an object to the kernel, as loading a module does, and returns it.
   *
   * @throws BtfError INVALID_REQUEST for an object that has another type or lacks its BTF.
   * @throws TypeError if there is an object with its id; BtfFormatError of `@btfd/btf` if it is not BTF.
   */
  addObject(init: FakeObjectInit): FakeObject {
    aFakeObject('object', init);
    return this.#kernel.add(init);
  }

  /**
   * removeObject removes an object from the kernel, as unloading a module does. Handles on it stay valid.
   *
   * @throws BtfError BTF_ID_NOT_FOUND if no object has the id.
   */
  removeObject(id: number): void {
    this.#kernel.remove(id);
  }

  /** expireHandles ends all leases, as if they had not been renewed. Never throws. */
  expireHandles(): void {
    this.#handles.expire();
  }

  /**
   * failNext makes the next call of a method fail before it does anything. Several failures of a method are used in order.
   *
   * @throws BtfError INVALID_REQUEST for an unknown method.
   */
  failNext(method: MethodName, failure: FakeFailure): void {
    aMethod('method', method);
    this.#calls.failNext(method, failure);
  }

  /**
   * loseNextAnswer makes the next call of a method do its work and then fail, as if the connection broke.
   *
   * @throws BtfError INVALID_REQUEST for an unknown method.
   */
  loseNextAnswer(method: MethodName): void {
    aMethod('method', method);
    this.#calls.loseNextAnswer(method);
  }

  /**
   * stall makes calls of a method wait. It returns a function that lets them continue.
   *
   * @throws BtfError INVALID_REQUEST for an unknown method.
   */
  stall(method: MethodName): () => void {
    aMethod('method', method);
    return this.#calls.stall(method);
  }

  /**
   * cutOff ends the open streams of a method, such as `watchHandles`.
   *
   * @param failure the error of the streams. Default: UNAVAILABLE, as if the connection broke.
   * @throws BtfError INVALID_REQUEST for an unknown method.
   */
  cutOff(method: MethodName, failure: FakeFailure = { code: status.UNAVAILABLE }): void {
    aMethod('method', method);
    this.#calls.cutOff(method, failure);
  }

  /** forgetEvents makes the daemon forget all past events, so that a watch that resumes has to list the objects again. */
  forgetEvents(): void {
    this.#watch.forget();
  }

  /** stop ends the daemon with all connections and handles. Stopping again does nothing. Never rejects. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.#calls.openGates();
    server?.forceShutdown();
    // Objects that only handles held go with them.
    for (const { token } of this.#handles.open) this.#handles.close(token);
  }

  /**
   * restart stops the daemon and starts another run at the same address.
   *
   * @param reboot whether the machine was booted too. Default: false.
   * @throws Error of grpc-js, if it cannot listen on the address.
   */
  async restart({ reboot = false }: { readonly reboot?: boolean } = {}): Promise<void> {
    await this.stop();
    if (reboot) this.#bootId = randomUUID();
    this.#epoch = randomUUID();
    this.#handles = new FakeHandles(this.#kernel, this.#epoch);
    this.#watch = new FakeWatch(this.#kernel, this.#epoch, this.#bootId);
    await this.#listen();
  }

  /**
   * disconnect breaks all connections. The daemon and its handles stay.
   *
   * @throws Error of grpc-js, if it cannot listen on the address again.
   */
  async disconnect(): Promise<void> {
    this.#server?.forceShutdown();
    await this.#listen();
  }

  /** Stops the daemon. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listen(): Promise<void> {
    const { credentials = ServerCredentials.createInsecure(), ...options } = this.#options;
    const {
      defaultTtl = 60_000,
      maxHeld = 64,
      kernelRelease = '6.18.0-fake',
      nodeName = 'fake-node',
      chunkBytes = 256 * 1024,
      chunkDelay = 0,
    } = options;
    const server = new Server({ 'grpc.max_receive_message_length': MAX_MESSAGE_BYTES });
    const run = {
      kernel: this.#kernel,
      handles: this.#handles,
      watch: this.#watch,
      epoch: this.#epoch,
      bootId: this.#bootId,
      kernelRelease,
      nodeName,
      defaultTtl,
      maxHeld,
      chunkBytes,
      chunkDelay,
    };
    server.addService(toServiceDefinition(BtfService), fakeRpcs(run, new FakeServer(this.#calls)));
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(this.#address, credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    // A restart keeps the port that the system chose.
    this.#address = this.#address.replace(/^(?!unix:)(.*):0$/, `$1:${port}`);
    this.#server = server;
  }
}
