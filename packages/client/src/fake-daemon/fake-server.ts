import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { withErrorDetails } from '@btfd/api/grpc-js';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type StatusObject,
} from '@grpc/grpc-js';
import { BtfError } from '../error/btf-error.js';
import type { FakeCall, FakeCalls, MethodName, RequestOf } from './fake-calls.js';

/** FakeServer turns functions into handlers of grpc-js. It records their calls, and makes them fail if a test requests it. */
export class FakeServer {
  readonly #calls: FakeCalls;

  constructor(calls: FakeCalls) {
    this.#calls = calls;
  }

  /** Returns the handler of a unary method. `respond` returns the response or throws a `BtfError`. */
  unary<M extends MethodName, S extends DescMessage>(
    method: M,
    schema: S,
    respond: (request: RequestOf<M>) => MessageInitShape<S>,
  ): handleUnaryCall<RequestOf<M>, MessageShape<S>> {
    return (call, callback) => {
      const record = this.#record(method, call);
      const work = async (): Promise<MessageShape<S>> => {
        await this.#calls.passGate(method);
        const fault = this.#calls.nextFault(method);
        if (fault?.afterWork === false) throw fault.error;
        const message = create(schema, respond(call.request));
        if (fault !== null) throw fault.error;
        return message;
      };
      void (async () => {
        try {
          const message = await work();
          record.end('answered');
          callback(null, message);
        } catch (error) {
          record.end('failed');
          callback(statusOf(error));
        }
      })();
    };
  }

  /** Returns the handler of a server-streaming method, which sends what `serve` yields. A client that leaves ends `serve`. */
  stream<M extends MethodName, S extends DescMessage>(
    method: M,
    schema: S,
    serve: (request: RequestOf<M>, signal: AbortSignal) => AsyncGenerator<MessageInitShape<S>, void>,
  ): handleServerStreamingCall<RequestOf<M>, MessageShape<S>> {
    return (call) => {
      const record = this.#record(method, call);
      const gone = new AbortController();
      call.on('cancelled', () => gone.abort());
      let cut: BtfError | null = null;
      const forget = this.#calls.opened(method, (error) => {
        cut = error;
        gone.abort();
      });
      const work = async (): Promise<void> => {
        await this.#calls.passGate(method);
        const fault = this.#calls.nextFault(method);
        if (fault?.afterWork === false) throw fault.error;
        for await (const message of serve(call.request, gone.signal)) {
          if (gone.signal.aborted) break;
          call.write(create(schema, message));
        }
        if (cut !== null) throw cut;
        if (fault !== null) throw fault.error;
      };
      void (async () => {
        try {
          await work();
          record.end('answered');
          call.end();
        } catch (error) {
          record.end('failed');
          // Destroying the call would not send a status.
          call.emit('error', statusOf(error));
        } finally {
          forget();
        }
      })();
    };
  }

  #record<M extends MethodName>(
    method: M,
    call: { readonly request: RequestOf<M>; readonly metadata: Metadata; getDeadline(): Date | number } & {
      on(event: 'cancelled', listener: () => void): unknown;
    },
  ): { readonly end: (state: 'answered' | 'failed') => void } {
    const { request, metadata } = call;
    const record: Ending<FakeCall<M>> = {
      method,
      request,
      deadline: Number(call.getDeadline()),
      metadata: textsOf(metadata),
      state: 'running',
      startedAt: performance.now(),
      endedAt: null,
    };
    this.#calls.add(record);
    const end = (state: FakeCall['state']): void => {
      if (record.state !== 'running') return;
      record.state = state;
      record.endedAt = performance.now();
    };
    call.on('cancelled', () => end('cancelled'));
    return { end };
  }
}

/** Returns an error as a daemon sends it: code and message, and the rest as details in the trailers. */
function statusOf(error: unknown): StatusObject {
  const { code, rawMessage, reason, metadata, fieldViolations, quotaViolations, retryDelay } =
    BtfError.from(error);
  const details = { reason, metadata, fieldViolations, quotaViolations, retryDelay };
  return { code, details: rawMessage, metadata: withErrorDetails(new Metadata(), code, rawMessage, details) };
}

type Ending<C> = { -readonly [K in keyof C]: C[K] };

function textsOf(metadata: Metadata): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata.getMap()))
    if (typeof value === 'string') texts[key] = value;
  return texts;
}
