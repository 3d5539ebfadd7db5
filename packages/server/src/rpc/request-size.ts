import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { BtfService, ErrorReason, LoadHandleRequestSchema } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import type { Limits } from '../limits.js';

/**
 * checkRequestSize throws if an encoded request is larger than its method allows: decoding takes many times
 * the memory of what is decoded, and the event loop while it lasts.
 */
export function checkRequestSize(methodName: string, wire: Uint8Array, limits: Limits): void {
  if (methodName !== BtfService.method.loadHandle.name) {
    check('the request', methodName, wire.length, limits.maxMessageBytes);
    return;
  }
  check('the request', methodName, wire.length, limits.maxLoadMessageBytes);
  check('the list of types', methodName, typesBytes(wire), limits.maxTypesBytes);
}

function check(what: string, methodName: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new ServiceError(
    ErrorReason.MESSAGE_TOO_LARGE,
    `${what} has ${size} bytes; ${methodName} takes at most ${limit}`,
    {
      metadata: { size: String(size), limit: String(limit) },
    },
  );
}

/** The bytes of the types in a LoadHandleRequest, without decoding them. */
function typesBytes(wire: Uint8Array): number {
  const reader = new BinaryReader(wire);
  let bytes = 0;
  try {
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      const start = reader.pos;
      reader.skip(type, field);
      const isTypes =
        field === LoadHandleRequestSchema.field.types.number && type === WireType.LengthDelimited;
      if (isTypes) bytes += reader.pos - start;
    }
  } catch {
    // What can't be skipped can't be decoded: decoding says what is wrong.
    return 0;
  }
  return bytes;
}
