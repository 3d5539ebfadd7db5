import { EventEmitter, once } from 'node:events';
import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { type handleServerStreamingCall, type handleUnaryCall, status } from '@grpc/grpc-js';
import { CallFailure } from './call-failure.js';
import { failure, type FailureInit } from './failure.js';

/** FakeCalls records the calls of a fake daemon and disturbs them. */
export class FakeCalls {
  /** The deadline of the last call of each method, in milliseconds since 1970. */
  readonly deadlines = new Map<string, number>();
  /** The calls that their client cancelled, by method. */
  readonly cancelled: string[] = [];
  /** The most calls of each method at the same time. */
  readonly mostAtOnce = new Map<string, number>();
  readonly #running = new Map<string, number>();
  readonly #disturbances: { method: string; failure: FailureInit; whenDone: boolean }[] = [];
  readonly #stalls = new Map<string, Promise<unknown>>();

  /** Makes the next call of a method fail before it does anything. */
  failNext(method: string, init: FailureInit): void {
    this.#disturbances.push({ method, failure: init, whenDone: false });
  }

  /** Makes the next call of a method do its work and fail nevertheless, as when the answer is lost. */
  loseNextAnswer(method: string): void {
    this.#disturbances.push({ method, failure: { code: status.UNAVAILABLE }, whenDone: true });
  }

  /** How many calls of a method are still to be disturbed. */
  disturbances(method: string): number {
    return this.#disturbances.filter((disturbance) => disturbance.method === method).length;
  }

  /** Makes calls of a method wait until the function answered is called. */
  stall(method: string): () => void {
    const gate = new EventEmitter();
    this.#stalls.set(method, once(gate, 'open'));
    return () => {
      this.#stalls.delete(method);
      gate.emit('open');
    };
  }

  /** A unary method. `answer` says null where the token or id does not exist. */
  unary<Q, S extends DescMessage>(
    method: string,
    schema: S,
    answer: (request: Q) => MessageInitShape<S> | null,
  ): handleUnaryCall<Q, MessageShape<S>> {
    return (call, callback) => {
      this.deadlines.set(method, Number(call.getDeadline()));
      let answered = false;
      call.on('cancelled', () => answered || this.cancelled.push(method));
      void this.#counted(method, async () => {
        const disturbance = this.#nextDisturbance(method);
        const message = disturbance?.whenDone === false ? null : answer(call.request);
        answered = true;
        if (disturbance !== undefined) callback(failure(disturbance.failure));
        else if (message === null) callback(failure({ code: status.NOT_FOUND, reason: 'HANDLE_NOT_FOUND' }));
        else callback(null, create(schema, message));
      });
    };
  }

  /** A server-streaming method. What `serve` yields is sent; its `finally` runs when the client is gone too. */
  stream<Q, S extends DescMessage>(
    method: string,
    schema: S,
    serve: (request: Q, signal: AbortSignal) => AsyncGenerator<MessageInitShape<S>>,
  ): handleServerStreamingCall<Q, MessageShape<S>> {
    return (call) => {
      this.deadlines.set(method, Number(call.getDeadline()));
      const gone = new AbortController();
      call.on('cancelled', () => gone.abort());
      void this.#counted(method, async () => {
        let disturbance = this.#nextDisturbance(method);
        try {
          for await (const message of serve(call.request, gone.signal)) {
            if (gone.signal.aborted || disturbance?.whenDone === false) break;
            call.write(create(schema, message));
          }
        } catch (error) {
          if (!(error instanceof CallFailure)) throw error;
          disturbance = { failure: error.init, whenDone: true };
        } finally {
          if (gone.signal.aborted) this.cancelled.push(method);
          if (disturbance === undefined) call.end();
          else call.emit('error', failure(disturbance.failure));
        }
      });
    };
  }

  async #counted(method: string, run: () => Promise<void>): Promise<void> {
    const running = (this.#running.get(method) ?? 0) + 1;
    this.#running.set(method, running);
    this.mostAtOnce.set(method, Math.max(running, this.mostAtOnce.get(method) ?? 0));
    await this.#stalls.get(method);
    await run();
    this.#running.set(method, (this.#running.get(method) ?? 0) - 1);
  }

  #nextDisturbance(method: string): { failure: FailureInit; whenDone: boolean } | undefined {
    const index = this.#disturbances.findIndex((disturbance) => disturbance.method === method);
    return index === -1 ? undefined : this.#disturbances.splice(index, 1)[0];
  }
}
