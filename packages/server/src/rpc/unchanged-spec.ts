import { create, toBinary } from '@bufbuild/protobuf';
import { type SpecRequest, SpecResponseSchema } from '@btfd/api';
import { Encoded, type RpcCall } from '../grpc/rpc.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import { requireSpecName } from '../source/spec-name.js';
import type { SpecObject } from '../source/spec-source.js';
import { factsOf } from './info-details.js';
import { checkSpecRequest } from './spec.js';
import type { Services } from './services.js';
import { isSame, specHeader } from './spec-header.js';

/**
 * unchangedSpec serves the calls of Spec by clients that have the kernel's own BTF already, in one turn of the event loop. It
 * returns null for all other calls, which `spec` serves.
 */
export function unchangedSpec({
  specs,
}: Pick<Services, 'specs'>): (request: SpecRequest, call: RpcCall) => Encoded | null {
  /** The response, by the info of the object, which is the same at each call and describes BTF that never changes. */
  const responses = new WeakMap<ObjectInfo, Encoded>();
  const responseFor = (object: SpecObject): Encoded => {
    const known = responses.get(object.info);
    if (known !== undefined) return known;
    const value = { ...specHeader(object, null), notModified: true };
    const response = create(SpecResponseSchema, { part: { case: 'header', value } });
    const encoded = new Encoded(toBinary(SpecResponseSchema, response));
    responses.set(object.info, encoded);
    return encoded;
  };
  return (request, call) => {
    const { ifNoneMatch } = request;
    if (ifNoneMatch === undefined) return null;
    const name = requireSpecName(request.source);
    checkSpecRequest(request);
    using object = specs.atOnce(name, call.caller, (btf) => isSame(ifNoneMatch, btf, null));
    if (object === null) return null;
    call.note(factsOf(object.info));
    call.throwIfAborted();
    return responseFor(object);
  };
}
