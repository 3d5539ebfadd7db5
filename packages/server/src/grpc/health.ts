import type { Server, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

type Watch = ServerWritableStream<{ readonly service: string }, { readonly status: string }>;

/**
 * Health answers `grpc.health.v1` for the names that it is given, which serve until told otherwise.
 *
 * The library (2.1) remembers every name that was ever watched, which callers without a role may choose. So it is not
 * told of watches of other names: they hear once that the service is unknown, which does not change.
 */
export class Health {
  private readonly implementation: HealthImplementation;

  constructor(private readonly names: readonly string[]) {
    this.implementation = new HealthImplementation(
      Object.fromEntries(names.map((name) => [name, 'SERVING' as const])),
    );
  }

  /** Tells that nothing is served any more. */
  notServing(): void {
    for (const name of this.names) this.implementation.setStatus(name, 'NOT_SERVING');
  }

  addToServer(server: Pick<Server, 'addService'>): void {
    this.implementation.addToServer({
      addService: (service: Parameters<Server['addService']>[0], methods: UntypedServiceImplementation) => {
        const watch = (call: Watch): void => {
          const watchKnown: unknown = methods['watch'];
          if (!this.names.includes(call.request.service)) call.write({ status: 'SERVICE_UNKNOWN' });
          else if (typeof watchKnown === 'function') watchKnown(call);
        };
        server.addService(service, { ...methods, watch });
      },
    });
  }
}
