import type { Server, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

type Watch = ServerWritableStream<{ readonly service: string }, { readonly status: string }>;

/**
 * Health serves `grpc.health.v1` for a list of names. Those that are available are SERVING until `notServing`, the others
 * never.
 *
 * The library (2.1) remembers every name that was ever watched, and callers without a role may choose them. So it does
 * not get watches of other names: their clients receive SERVICE_UNKNOWN once, which does not change.
 */
export class Health {
  /** The library's part. */
  readonly implementation: HealthImplementation;
  readonly #names: readonly string[];

  /** @param statuses each name, and whether it is available. */
  constructor(statuses: ReadonlyMap<string, boolean>) {
    this.#names = [...statuses.keys()];
    this.implementation = new HealthImplementation(
      Object.fromEntries(
        [...statuses].map(([name, isAvailable]) => [name, isAvailable ? 'SERVING' : 'NOT_SERVING']),
      ),
    );
  }

  /** Changes every name to NOT_SERVING. */
  notServing(): void {
    for (const name of this.#names) this.implementation.setStatus(name, 'NOT_SERVING');
  }

  addToServer(server: Pick<Server, 'addService'>): void {
    this.implementation.addToServer({
      addService: (service: Parameters<Server['addService']>[0], methods: UntypedServiceImplementation) => {
        const watch = (call: Watch): void => {
          const watchKnown: unknown = methods['watch'];
          if (!this.#names.includes(call.request.service)) call.write({ status: 'SERVICE_UNKNOWN' });
          else if (typeof watchKnown === 'function') watchKnown(call);
        };
        server.addService(service, { ...methods, watch });
      },
    });
  }
}
