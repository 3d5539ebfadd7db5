import {
  create,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { BtfService } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import type { MethodDefinition } from '@grpc/grpc-js';
import type { Method, MethodName, MethodOf } from './methods.js';

export { decodeMember, decodeMemberError, decodeNeed, decodeRelocation, decodeVerdict } from '@btfd/api';

const { method } = BtfService;
const definition = toServiceDefinition(BtfService);

/** METHODS are the methods of the service. */
export const METHODS: { readonly [N in MethodName]: MethodOf<N> } = {
  loadHandle: withInit(method.loadHandle, definition.loadHandle),
  getHandleById: withInit(method.getHandleById, definition.getHandleById),
  iterateHandles: withInit(method.iterateHandles, definition.iterateHandles),
  takeHandle: withInit(method.takeHandle, definition.takeHandle),
  cloneHandle: withInit(method.cloneHandle, definition.cloneHandle),
  getHandleInfo: withInit(method.getHandleInfo, definition.getHandleInfo),
  renewHandles: withInit(method.renewHandles, definition.renewHandles),
  closeHandles: withInit(method.closeHandles, definition.closeHandles),
  spec: withInit(method.spec, definition.spec),
  resolveMembers: withInit(method.resolveMembers, definition.resolveMembers),
  checkObject: withInit(method.checkObject, definition.checkObject),
  watchHandles: withInit(method.watchHandles, definition.watchHandles),
  getServerInfo: withInit(method.getServerInfo, definition.getServerInfo),
};

/** Returns a method that takes some fields of its request in place of the message. */
function withInit<I extends DescMessage, R>(
  { input, idempotency }: Pick<DescMethod, 'idempotency'> & { readonly input: I },
  { path, requestSerialize, responseDeserialize }: MethodDefinition<MessageShape<I>, R>,
): Method<MessageInitShape<I>, R> {
  return {
    path,
    isRepeatable: idempotency !== IdempotencyLevel.IDEMPOTENCY_UNKNOWN,
    requestSerialize: (init) => requestSerialize(create(input, init)),
    responseDeserialize,
  };
}
