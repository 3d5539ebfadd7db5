import {
  Metadata,
  ServerInterceptingCall,
  status,
  type Server,
  type ServerInterceptor,
  type ServerMethodDefinition,
} from '@grpc/grpc-js';

type Method = ServerMethodDefinition<unknown, unknown>;

/** Longer than any method's path; a path may have as much as all metadata. */
const MAX_TOLD = 256;

/** Marks the methods that nothing serves. Nothing of their calls is ever read. */
const UNREAD = (): never => {
  throw new Error('a call of an unknown method was read');
};

/**
 * followUnknown lets calls of methods that a server doesn't have come to its interceptors, as all others do:
 * {@link refuseUnknown} must be one of them. grpc-js (1.14) answers them by itself otherwise, so that nothing counts
 * them. It looks methods up in a map that it keeps to itself.
 *
 * @throws Error if it doesn't.
 */
export function followUnknown(grpc: Server): void {
  const handlers: unknown = Reflect.get(grpc, 'handlers');
  if (!(handlers instanceof Map)) throw new Error('grpc-js keeps its methods elsewhere than where it did');
  const known: ReadonlyMap<unknown, unknown> = new Map(handlers);
  Reflect.set(handlers, 'get', (path: unknown) => known.get(path) ?? unknownHandler(path));
}

/** isUnknown says whether a call's method is one that nothing serves. */
export function isUnknown({ requestDeserialize }: Pick<Method, 'requestDeserialize'>): boolean {
  return requestDeserialize === UNREAD;
}

/** refuseUnknown answers calls of methods that nothing serves, when their metadata comes. */
export const refuseUnknown: ServerInterceptor = (method, call) => {
  if (!isUnknown(method)) return new ServerInterceptingCall(call);
  return new ServerInterceptingCall(call, {
    start: (next) => {
      next({
        onReceiveMetadata: () => {
          const details = `the daemon has no method ${method.path.slice(0, MAX_TOLD)}`;
          call.sendStatus({ code: status.UNIMPLEMENTED, details, metadata: new Metadata() });
        },
        onReceiveMessage: () => {},
        onReceiveHalfClose: () => {},
        onCancel: () => {},
      });
    },
  });
};

function unknownHandler(path: unknown): object {
  return { type: 'unary', path: String(path), func: UNREAD, serialize: UNREAD, deserialize: UNREAD };
}
