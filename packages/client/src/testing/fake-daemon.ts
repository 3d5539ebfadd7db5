import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import * as api from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { durationFromMs } from '../duration.js';
import { FakeCalls } from './fake-calls.js';
import { infoOf, sha256 } from './fake-info.js';
import { FakeWatch } from './fake-watch.js';

/** FakeObject is a BTF object in the fake kernel. */
export interface FakeObject {
  readonly id: number;
  /** The kernel's name for it; empty for a user's object. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The bytes of what it continues. */
  readonly base?: Uint8Array;
  /** Default: nobody. */
  readonly users?: MessageInitShape<typeof api.ObjectUsersSchema>;
}

type HandleInit = MessageInitShape<typeof api.HandleSchema>;
type SpecPart = MessageInitShape<typeof api.SpecResponseSchema>;

/** Bytes in each message of a spec. */
const CHUNK = 16;

/**
 * FakeDaemon serves btf.v1 from objects in memory, on a unix socket in this process. It has no clock: a
 * lease ends when a test deletes the open handle.
 */
export class FakeDaemon implements AsyncDisposable {
  readonly calls = new FakeCalls();
  /** What the kernel holds, in the order of ids. */
  readonly objects: FakeObject[];
  /** The object of each open handle, by token. */
  readonly open = new Map<string, FakeObject>();
  /** The tokens of open handles that streams hold. */
  readonly held = new Set<string>();
  /** The most handles that were ever held. */
  mostHeld = 0;
  /** The tokens of each CloseHandles. */
  readonly closes: string[][] = [];
  /** The tokens of each RenewHandles. */
  readonly renewals: string[][] = [];
  /** Each request of Spec. */
  readonly specRequests: api.SpecRequest[] = [];
  /** How many specs were sent to their end. */
  specsSent = 0;
  /** The last request of LoadHandle. */
  loaded: api.LoadHandleRequest | null = null;
  /** How LoadHandle refuses. */
  rejection: MessageInitShape<typeof api.RejectionSchema> | null = null;
  /** What is sent in place of an object's bytes. */
  sent: Uint8Array | null = null;
  /** What WatchHandles tells of the objects. */
  readonly watch: FakeWatch;
  epoch = 'epoch-1';
  grantedTtl = 60_000;
  maxHeld = 64;
  readonly #server = new Server();
  readonly #released = new EventTarget();
  readonly #folder: string;
  #tokens = 0;

  private constructor(objects: FakeObject[], folder: string) {
    this.objects = objects;
    this.watch = new FakeWatch(objects);
    this.#folder = folder;
  }

  static async start(objects: FakeObject[] = []): Promise<FakeDaemon> {
    const daemon = new FakeDaemon(objects, await mkdtemp(join(tmpdir(), 'btfd-fake-')));
    await daemon.#listen();
    return daemon;
  }

  get address(): string {
    return `unix:${join(this.#folder, 'btfd.sock')}`;
  }

  /** Forgets all handles, as a daemon that was started anew. */
  restart(): void {
    this.epoch += '+';
    this.open.clear();
    this.watch.restart();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
    await rm(this.#folder, { recursive: true });
  }

  async #listen(): Promise<void> {
    const { calls } = this;
    this.#server.addService(toServiceDefinition(api.BtfService), {
      loadHandle: calls.unary('loadHandle', api.LoadHandleResponseSchema, (request: api.LoadHandleRequest) =>
        this.#load(request),
      ),
      getHandleById: calls.unary(
        'getHandleById',
        api.GetHandleByIdResponseSchema,
        ({ id }: api.GetHandleByIdRequest) => this.#lease(this.objects.find((object) => object.id === id)),
      ),
      takeHandle: calls.unary(
        'takeHandle',
        api.TakeHandleResponseSchema,
        ({ token }: api.TakeHandleRequest) => {
          this.#release(token);
          return this.open.has(token) ? { handle: this.#handle(token) } : null;
        },
      ),
      cloneHandle: calls.unary(
        'cloneHandle',
        api.CloneHandleResponseSchema,
        ({ token }: api.CloneHandleRequest) => this.#lease(this.open.get(token)),
      ),
      getHandleInfo: calls.unary(
        'getHandleInfo',
        api.GetHandleInfoResponseSchema,
        ({ token, details }: api.GetHandleInfoRequest) =>
          this.open.has(token) ? { handle: this.#handle(token, details) } : null,
      ),
      renewHandles: calls.unary(
        'renewHandles',
        api.RenewHandlesResponseSchema,
        ({ tokens }: api.RenewHandlesRequest) => {
          this.renewals.push(tokens);
          const renewed = { open: true, remainingTtl: durationFromMs(this.grantedTtl) };
          return { results: tokens.map((token) => (this.open.has(token) ? renewed : {})) };
        },
      ),
      closeHandles: calls.unary(
        'closeHandles',
        api.CloseHandlesResponseSchema,
        ({ tokens }: api.CloseHandlesRequest) => {
          this.closes.push(tokens);
          return { wasOpen: tokens.map((token) => this.#close(token)) };
        },
      ),
      getServerInfo: calls.unary('getServerInfo', api.GetServerInfoResponseSchema, () => ({
        version: '9.9.9',
        daemonEpoch: this.epoch,
        mode: api.Mode.FULL,
        operations: [{ operation: api.Operation.LOAD, available: false, reason: 'no CAP_BPF' }],
        capabilities: { sysAdmin: true },
        limits: { minTtl: durationFromMs(1500), maxTokens: 1000 },
      })),
      iterateHandles: calls.stream(
        'iterateHandles',
        api.IterateHandlesResponseSchema,
        (request: api.IterateHandlesRequest, signal) => this.#iterate(request, signal),
      ),
      watchHandles: calls.stream(
        'watchHandles',
        api.WatchHandlesResponseSchema,
        (request: api.WatchHandlesRequest, signal) => this.watch.serve(request, () => this.epoch, signal),
      ),
      spec: calls.stream('spec', api.SpecResponseSchema, (request: api.SpecRequest) => this.#spec(request)),
    });
    const { address } = this;
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }

  #load(request: api.LoadHandleRequest): MessageInitShape<typeof api.LoadHandleResponseSchema> {
    this.loaded = request;
    if (this.rejection !== null) return { result: { case: 'rejection', value: this.rejection } };
    const bytes = request.source.case === 'rawBtf' ? request.source.value.slice() : new Uint8Array();
    const object = { id: 1000 + this.#tokens, name: '', bytes };
    this.objects.push(object);
    return { result: { case: 'handle', value: this.#handle(this.#openOn(object)) } };
  }

  async *#iterate(
    { afterId, hold, origins, nameGlobs, details }: api.IterateHandlesRequest,
    signal: AbortSignal,
  ): AsyncGenerator<MessageInitShape<typeof api.IterateHandlesResponseSchema>> {
    const held: string[] = [];
    try {
      for (const object of this.objects) {
        const info = infoOf(object, details);
        if (object.id <= afterId || (origins.length > 0 && !origins.includes(info.origin))) continue;
        if (nameGlobs.length > 0 && !nameGlobs.includes(object.name)) continue;
        if (!hold) {
          yield { info };
          continue;
        }
        const token = this.#openOn(object);
        held.push(token);
        this.held.add(token);
        this.mostHeld = Math.max(this.mostHeld, this.held.size);
        yield { info, handle: this.#handle(token, details) };
        while (this.held.size >= this.maxHeld && !signal.aborted) await this.#nextRelease(signal);
      }
      while (this.held.size > 0 && !signal.aborted) await this.#nextRelease(signal);
    } finally {
      for (const token of held) if (this.held.has(token)) this.#close(token);
    }
  }

  async #nextRelease(signal: AbortSignal): Promise<void> {
    await once(this.#released, 'release', { signal }).catch(() => {});
  }

  async *#spec(request: api.SpecRequest): AsyncGenerator<SpecPart> {
    this.specRequests.push(request);
    const { source, ifNoneMatch } = request;
    const object =
      source.case === 'name'
        ? this.objects.find(({ name }) => name === source.value)
        : this.open.get(String(source.value));
    if (object === undefined) return;
    const digest = sha256(object.bytes);
    const notModified = ifNoneMatch !== undefined && Buffer.compare(ifNoneMatch.digest, digest) === 0;
    const value = {
      info: infoOf(object),
      rawSize: object.bytes.length,
      digest,
      baseDigest: object.base === undefined ? new Uint8Array() : sha256(object.base),
      split: object.base !== undefined,
      notModified,
    };
    yield { part: { case: 'header', value } };
    if (notModified) return;
    const bytes = this.sent ?? object.bytes;
    for (let at = 0; at < bytes.length; at += CHUNK) {
      // Between chunks the client gets its turn, as it would over a network.
      await new Promise((resolve) => setTimeout(resolve, 1));
      yield { part: { case: 'raw', value: bytes.subarray(at, at + CHUNK) } };
    }
    this.specsSent += 1;
  }

  #lease(object: FakeObject | undefined): { handle: HandleInit } | null {
    return object === undefined ? null : { handle: this.#handle(this.#openOn(object)) };
  }

  #openOn(object: FakeObject): string {
    this.#tokens += 1;
    const token = `token-${this.#tokens}`;
    this.open.set(token, object);
    return token;
  }

  #handle(token: string, details: api.InfoDetail[] = []): HandleInit {
    const object = this.open.get(token);
    const ttl = this.held.has(token) ? undefined : durationFromMs(this.grantedTtl);
    const lease = ttl && { grantedTtl: ttl, remainingTtl: ttl };
    return { token, daemonEpoch: this.epoch, ...(object && { info: infoOf(object, details) }), ...lease };
  }

  #close(token: string): boolean {
    this.#release(token);
    return this.open.delete(token);
  }

  #release(token: string): void {
    this.held.delete(token);
    this.#released.dispatchEvent(new Event('release'));
  }
}
