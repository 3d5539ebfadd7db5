import type { MessageShape } from '@bufbuild/protobuf';
import { BtfService } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { oneOf } from '../error/argument.js';
import { BtfError, type BtfErrorInit } from '../error/btf-error.js';

type Methods = (typeof BtfService)['method'];

/** MethodName is a method of `btf.v1.BtfService`, such as `getHandleById`. */
export type MethodName = keyof Methods;

/** aMethod is the rule of a method's name. A test with a misspelt name would test nothing. */
export const aMethod = oneOf(BtfService.method);

/** RequestOf is the request message of a method. */
export type RequestOf<M extends MethodName> = MessageShape<Methods[M]['input']>;

/** FakeCall is a call that a {@link FakeDaemon} received. */
export interface FakeCall<M extends MethodName = MethodName> {
  readonly method: M;
  readonly request: RequestOf<M>;
  /** The deadline in milliseconds since 1970; Infinity if the client set none. */
  readonly deadline: number;
  /** The metadata of the call, by key in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The state of the call. `cancelled` means that the client cancelled it. */
  readonly state: 'running' | 'answered' | 'failed' | 'cancelled';
  /** By `performance.now()`. */
  readonly startedAt: number;
  /** By `performance.now()`; null while the call is running. */
  readonly endedAt: number | null;
}

/** FakeFailure is the error of a call. Default of the reason: none. The default message says that the test requested it. */
export type FakeFailure = Pick<BtfErrorInit, 'code'> & Partial<BtfErrorInit>;

interface Fault {
  readonly method: MethodName;
  readonly error: BtfError;
  readonly afterWork: boolean;
}

/** FakeCalls records the calls of a fake daemon, and the failures of the next ones. */
export class FakeCalls {
  readonly #all: FakeCall[] = [];
  readonly #faults: Fault[] = [];
  readonly #streams = new Set<{ readonly method: MethodName; readonly cut: (error: BtfError) => void }>();
  readonly #gates = new Map<MethodName, Gate>();

  get all(): readonly FakeCall[] {
    return this.#all;
  }

  add(call: FakeCall): void {
    this.#all.push(call);
  }

  /** Returns the calls of a method, in the order in which they arrived. */
  of<M extends MethodName>(method: M): FakeCall<M>[] {
    return this.#all.filter((call): call is FakeCall<M> => call.method === method);
  }

  failNext(method: MethodName, failure: FakeFailure): void {
    this.#faults.push({ method, error: errorOf(failure), afterWork: false });
  }

  loseNextAnswer(method: MethodName): void {
    const error = { code: status.UNAVAILABLE, reason: null, message: 'the response is lost' };
    this.#faults.push({ method, error: new BtfError(error), afterWork: true });
  }

  /** Makes calls of a method wait. Returns a function that lets them continue. */
  stall(method: MethodName): () => void {
    const gate = this.#gates.get(method) ?? newGate();
    this.#gates.set(method, gate);
    return () => {
      this.#gates.delete(method);
      gate.resolve();
    };
  }

  /** Resolves when calls of a method may continue. */
  async passGate(method: MethodName): Promise<void> {
    await this.#gates.get(method)?.promise;
  }

  /** Returns and removes the failure of the next call of a method; null if it shall succeed. */
  nextFault(method: MethodName): Fault | null {
    const index = this.#faults.findIndex((fault) => fault.method === method);
    return index === -1 ? null : (this.#faults.splice(index, 1)[0] ?? null);
  }

  /** Keeps a stream for {@link cutOff}. Returns a function that forgets it. */
  opened(method: MethodName, cut: (error: BtfError) => void): () => void {
    const stream = { method, cut };
    this.#streams.add(stream);
    return () => void this.#streams.delete(stream);
  }

  cutOff(method: MethodName, failure: FakeFailure): void {
    for (const stream of this.#streams) if (stream.method === method) stream.cut(errorOf(failure));
  }

  /** Lets all calls continue. */
  openGates(): void {
    for (const gate of this.#gates.values()) gate.resolve();
    this.#gates.clear();
  }
}

function errorOf(failure: FakeFailure): BtfError {
  return new BtfError({ reason: null, message: 'the test made this call fail', ...failure });
}

interface Gate {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function newGate(): Gate {
  let resolve = (): void => {};
  const promise = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  return { promise, resolve };
}
