import { fromBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';

/**
 * decodeRequest decodes a request, or a message that is a part of one.
 *
 * @throws ServiceError with INVALID_REQUEST.
 */
export function decodeRequest<I extends DescMessage>(input: I, wire: Uint8Array): MessageShape<I> {
  try {
    // A plain view, because protobuf-es makes `bytes` fields of the class that it is given.
    return fromBinary(input, new Uint8Array(wire.buffer, wire.byteOffset, wire.byteLength));
  } catch (error) {
    const message = `the request is no ${input.typeName}: ${error instanceof Error ? error.message : ''}`;
    throw new ServiceError(ErrorReason.INVALID_REQUEST, message, { cause: error });
  }
}
