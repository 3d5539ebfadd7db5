import type { CallFacts } from '../grpc/interceptor/call-observer.js';
import type { ObjectInfo } from '../kernel/kernel.js';

/** factsOf is what observers of a call are told of the object that it is about. */
export function factsOf({ id, size }: ObjectInfo): CallFacts {
  return { btfId: id, btfBytes: size };
}
