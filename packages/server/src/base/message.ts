import {
  fromBinary,
  type DescMessage,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { ErrorReason } from '@btfd/api';
import { errorMessage } from '../error/error-code.js';
import { ServiceError } from '../error/service-error.js';

/** Init is the plain object from which a message is made. */
export type Init<Desc extends DescMessage> = Exclude<MessageInitShape<Desc>, Message>;

/**
 * decodeRequest decodes a request, or a message that is part of one.
 *
 * @throws ServiceError INVALID_REQUEST if the bytes are not a message of that type.
 */
export function decodeRequest<I extends DescMessage>(input: I, wire: Uint8Array): MessageShape<I> {
  try {
    // A plain Uint8Array, because protobuf-es makes `bytes` fields of the class of its input.
    return fromBinary(input, new Uint8Array(wire.buffer, wire.byteOffset, wire.byteLength));
  } catch (error) {
    const message = `the request cannot be decoded as ${input.typeName}: ${errorMessage(error)}`;
    throw new ServiceError(ErrorReason.INVALID_REQUEST, message, { cause: error });
  }
}
