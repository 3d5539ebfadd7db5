import { randomUUID } from 'node:crypto';
import { BtfService } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { aCount, aListOf, aString, checkOptions, milliseconds, must, type Rules } from '../error/argument.js';
import { aMethod, type FakeCall, FakeCalls, type FakeFailure, type MethodName } from './fake-calls.js';
import { type FakeHandle, FakeHandles } from './fake-handles.js';
import { FakeKernel } from './fake-kernel.js';
import { aFakeObject, type FakeObject, type FakeObjectInit } from './fake-object.js';
import { fakeRpcs } from './fake-rpcs.js';
import { FakeServer } from './fake-server.js';
import { FakeWatch } from './fake-watch.js';

/** More than the kernel takes, so that this is what refuses it. */
const MAX_MESSAGE_BYTES = 20 * 1024 * 1024;

/** FakeDaemonOptions are the options of a {@link FakeDaemon}. */
export interface FakeDaemonOptions {
  /** What the kernel holds; vmlinux before the modules that continue it. Default: nothing. */
  readonly objects?: readonly FakeObjectInit[] | undefined;
  /** Where to listen: `host:port` or `unix:/path`. Default: a free port of 127.0.0.1. */
  readonly listen?: string | undefined;
  /** TLS of grpc-js. Default: none. */
  readonly credentials?: ServerCredentials | undefined;
  /** The TTL granted where none is asked for, in milliseconds; what is asked for is granted. Default: 60 s. */
  readonly defaultTtl?: number | undefined;
  /** Handles that one iteration holds at most. Default: 64. */
  readonly maxHeld?: number | undefined;
  /** As of `uname -r`. Default: `6.18.0-fake`. */
  readonly kernelRelease?: string | undefined;
  /** Bytes of BTF or text in each message of a transfer. Default: 256 KiB, as of the daemon. */
  readonly chunkBytes?: number | undefined;
  /** Milliseconds before each of them. Default: 0. */
  readonly chunkDelay?: number | undefined;
}

const DAEMON_RULES: Rules<FakeDaemonOptions> = {
  objects: aListOf(aFakeObject),
  listen: aString,
  credentials: must('ServerCredentials of grpc-js', (value) => value instanceof ServerCredentials),
  defaultTtl: milliseconds,
  maxHeld: aCount,
  kernelRelease: aString,
  chunkBytes: must('a number that is positive', (value) => typeof value === 'number' && value > 0),
  chunkDelay: milliseconds,
};

/**
 * FakeDaemon serves `btf.v1` from BTF that it is given, in this process, without root and without Linux: for tests of
 * programs that use this package.
 *
 * ```ts
 * await using daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf }] });
 * await using client = new BtfClient(daemon.address);
 * ```
 *
 * Handles, leases, iterations, watches, loads (checked by `validate` of `@btfd/btf`) and specs work as with a daemon that has
 * all rights. It leaves out: `LoadHandle` of types and `Spec` as TYPES, which this package does not use; adapting to
 * older kernels; roles; limits, and so most refusals of requests that break one.
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

  /** start starts a daemon. It is to be disposed of, or stopped. @throws BtfError INVALID_REQUEST for bad options. */
  static async start(options: FakeDaemonOptions = {}): Promise<FakeDaemon> {
    checkOptions(options, DAEMON_RULES);
    const daemon = new FakeDaemon(options);
    await daemon.#listen();
    return daemon;
  }

  /** Where it listens, as a `BtfClient` takes it. */
  get address(): string {
    return this.#address;
  }

  /** The run of the daemon. */
  get epoch(): string {
    return this.#epoch;
  }

  /** What the kernel holds, in the order of ids. */
  get objects(): readonly FakeObject[] {
    return this.#kernel.objects;
  }

  /** The handles that are open. */
  get handles(): readonly FakeHandle[] {
    return this.#handles.open;
  }

  /** What it was asked, in order. */
  get calls(): readonly FakeCall[] {
    return this.#calls.all;
  }

  /** callsOf answers what it was asked by one method, such as `spec`. */
  callsOf<M extends MethodName>(method: M): FakeCall<M>[] {
    aMethod('method', method);
    return this.#calls.of(method);
  }

  /** addObject puts an object into the kernel, as the loading of a module does. */
  addObject(init: FakeObjectInit): FakeObject {
    aFakeObject('object', init);
    return this.#kernel.add(init);
  }

  /** removeObject takes one out, as the unloading of a module does: handles on it live on. @throws BtfError if there is none. */
  removeObject(id: number): void {
    this.#kernel.remove(id);
  }

  /** expireHandles ends all leases, as when nobody renewed them. */
  expireHandles(): void {
    this.#handles.expire();
  }

  /** failNext makes the next call of a method fail before it does anything. Several are used up in order. */
  failNext(method: MethodName, failure: FakeFailure): void {
    aMethod('method', method);
    this.#calls.failNext(method, failure);
  }

  /** loseNextAnswer makes the next call of a method do its work and fail all the same, as when the connection breaks. */
  loseNextAnswer(method: MethodName): void {
    aMethod('method', method);
    this.#calls.loseNextAnswer(method);
  }

  /** stall makes calls of a method wait until the function answered is called. */
  stall(method: MethodName): () => void {
    aMethod('method', method);
    return this.#calls.stall(method);
  }

  /** cutOff ends the open streams of a method, such as `watchHandles`. Default: as when the connection breaks. */
  cutOff(method: MethodName, failure: FakeFailure = { code: status.UNAVAILABLE }): void {
    aMethod('method', method);
    this.#calls.cutOff(method, failure);
  }

  /** forgetEvents makes the daemon forget what came and went so far: a watch that goes on behind has to list anew. */
  forgetEvents(): void {
    this.#watch.forget();
  }

  /** stop ends the daemon and all connections; handles are gone. Stopping again does nothing. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.#calls.openGates();
    server?.forceShutdown();
    // Objects that only handles held go with them.
    for (const { token } of this.#handles.open) this.#handles.close(token);
  }

  /** restart starts it anew at the same address, as another run. @param reboot whether the machine was booted too. */
  async restart({ reboot = false }: { readonly reboot?: boolean } = {}): Promise<void> {
    await this.stop();
    if (reboot) this.#bootId = randomUUID();
    this.#epoch = randomUUID();
    this.#handles = new FakeHandles(this.#kernel, this.#epoch);
    this.#watch = new FakeWatch(this.#kernel, this.#epoch, this.#bootId);
    await this.#listen();
  }

  /** disconnect breaks all connections; the daemon lives on, and its handles with it. */
  async disconnect(): Promise<void> {
    this.#server?.forceShutdown();
    await this.#listen();
  }

  /** Stops the daemon. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listen(): Promise<void> {
    const { credentials = ServerCredentials.createInsecure(), ...options } = this.#options;
    const {
      defaultTtl = 60_000,
      maxHeld = 64,
      kernelRelease = '6.18.0-fake',
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
    // Of a port that was left open the number is known now, and stays.
    this.#address = this.#address.replace(/^(?!unix:)(.*):0$/, `$1:${port}`);
    this.#server = server;
  }
}
