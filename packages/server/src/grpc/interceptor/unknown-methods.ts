import { Metadata, status, type Server, type ServerMethodDefinition, type StatusObject } from '@grpc/grpc-js';
import { serveUnknown } from './internals.js';

type Method = ServerMethodDefinition<unknown, unknown>;

/** Longer than the path of any method. A path may be as long as all metadata. */
const MAX_PATH = 256;

/** Marks the methods that nothing serves. Nothing of their calls is ever read. */
const UNREAD = (): never => {
  throw new Error('a call of an unknown method was read');
};

/**
 * followUnknown passes calls of methods that a server does not have to its interceptors, like all other calls. The
 * interceptors must refuse them with `unimplemented`.
 */
export function followUnknown(grpc: Server): void {
  serveUnknown(grpc, (path) => ({
    type: 'unary',
    path,
    func: UNREAD,
    serialize: UNREAD,
    deserialize: UNREAD,
  }));
}

/** isUnknown reports whether nothing serves the method of a call. */
export function isUnknown({ requestDeserialize }: Pick<Method, 'requestDeserialize'>): boolean {
  return requestDeserialize === UNREAD;
}

/** unimplemented returns the status of calls of a method that the daemon does not have. */
export function unimplemented(path: string): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const details = `the daemon has no method ${path.slice(0, MAX_PATH)}`;
  return { code: status.UNIMPLEMENTED, details, metadata: new Metadata() };
}
