import { create, type MessageShape } from '@bufbuild/protobuf';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthCheckResponseSchema,
  type HealthCheckRequestSchema,
  HealthListResponseSchema,
} from '@btfd/api/grpc-services';
import {
  type sendUnaryData,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';

type Request = MessageShape<typeof HealthCheckRequestSchema>;
type Response = MessageShape<typeof HealthCheckResponseSchema>;
type ListResponse = MessageShape<typeof HealthListResponseSchema>;
type Watch = ServerWritableStream<Request, Response>;

/**
 * Health serves `grpc.health.v1` for a list of names. Those that are available are SERVING until `notServing`, the others
 * never.
 */
export class Health {
  readonly #statuses: Map<string, ServingStatus>;
  readonly #watches = new Set<Watch>();

  /** @param names each name, and whether it is available. */
  constructor(names: ReadonlyMap<string, boolean>) {
    this.#statuses = new Map(
      [...names].map(([name, isAvailable]) => [
        name,
        isAvailable ? ServingStatus.SERVING : ServingStatus.NOT_SERVING,
      ]),
    );
  }

  /** The number of watches that get changes. */
  get watchCount(): number {
    return this.#watches.size;
  }

  /** Changes every name to NOT_SERVING. */
  notServing(): void {
    for (const name of this.#statuses.keys()) this.#statuses.set(name, ServingStatus.NOT_SERVING);
    for (const watch of this.#watches) watch.write(this.#response(watch.request));
  }

  addToServer(server: Pick<Server, 'addService'>): void {
    server.addService(toServiceDefinition(HealthService), {
      check: ({ request }: ServerUnaryCall<Request, Response>, respond: sendUnaryData<Response>) => {
        if (this.#statuses.has(request.service)) respond(null, this.#response(request));
        else
          respond({
            code: status.NOT_FOUND,
            details: 'unknown name: List returns the names with a health status',
          });
      },
      list: (_: unknown, respond: sendUnaryData<ListResponse>) => {
        const statuses = [...this.#statuses].map(([name, of]) => [name, { status: of }]);
        respond(null, create(HealthListResponseSchema, { statuses: Object.fromEntries(statuses) }));
      },
      watch: (watch: Watch) => {
        watch.write(this.#response(watch.request));
        // The status of another name never changes, and callers without a role may choose as many as they like.
        if (!this.#statuses.has(watch.request.service)) return;
        this.#watches.add(watch);
        watch.on('cancelled', () => this.#watches.delete(watch));
      },
    });
  }

  #response({ service }: Request): Response {
    return create(HealthCheckResponseSchema, {
      status: this.#statuses.get(service) ?? ServingStatus.SERVICE_UNKNOWN,
    });
  }
}
