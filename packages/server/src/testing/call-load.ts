import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { LoadHandleRequestSchema, LoadHandleResponseSchema, type LoadHandleResponse } from '@btfd/api';
import { Encoded, type RpcCall } from '../grpc/rpc.js';
import { loadHandle } from '../rpc/load-handle.js';
import type { Services } from '../rpc/services.js';

/** LoadAnswer is the response to a load. */
export interface LoadAnswer {
  readonly result: LoadHandleResponse['result'];
  /** The size of the encoded response, in bytes. */
  readonly size: number;
}

/** callLoad calls LoadHandle, whose request and response may be encoded. */
export async function callLoad(
  services: Services,
  request: MessageInitShape<typeof LoadHandleRequestSchema>,
  call: RpcCall,
): Promise<LoadAnswer> {
  const wire = toBinary(LoadHandleRequestSchema, create(LoadHandleRequestSchema, request));
  const answer = await loadHandle(services)(wire, call);
  const answered =
    answer instanceof Encoded
      ? answer.wire
      : toBinary(LoadHandleResponseSchema, create(LoadHandleResponseSchema, answer));
  return { result: fromBinary(LoadHandleResponseSchema, answered).result, size: answered.length };
}
