import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { BtfService, CheckObjectRequestSchema, ErrorReason } from '@btfd/api';
import type { Limits } from '../config/limits.js';
import { ServiceError } from '../error/service-error.js';
import { loadSizes } from './load-wire.js';

const { object: OBJECT } = CheckObjectRequestSchema.field;

/**
 * checkRequestSize checks the size of an encoded request. Decoding takes many times its memory, and blocks the event loop.
 *
 * @throws ServiceError MESSAGE_TOO_LARGE if it is larger than its method allows.
 */
export function checkRequestSize(methodName: string, wire: Uint8Array, limits: Limits): void {
  switch (methodName) {
    case BtfService.method.loadHandle.name: {
      check('the request', methodName, wire.length, limits.maxLoadMessageBytes);
      const { types, rest } = loadSizes(wire, limits.maxMessageBytes);
      check('the request without raw_btf and types', methodName, rest, limits.maxMessageBytes);
      check('the list of types', methodName, types, limits.maxTypesBytes);
      return;
    }
    case BtfService.method.checkObject.name: {
      check('the request', methodName, wire.length, limits.maxObjectMessageBytes);
      const { object, rest } = objectSizes(wire, limits.maxMessageBytes);
      check('the object', methodName, object, limits.maxObjectBytes);
      check('the request without object', methodName, rest, limits.maxMessageBytes);
      return;
    }
    default:
      check('the request', methodName, wire.length, limits.maxMessageBytes);
  }
}

/** ObjectSizes are the sizes of the parts of an encoded CheckObjectRequest, in bytes. */
interface ObjectSizes {
  /** The largest `object`: only the last one counts, but each takes memory. */
  readonly object: number;
  /** Everything except the content of `object`. */
  readonly rest: number;
}

/** Measures an encoded CheckObjectRequest without decoding it. It stops when the rest exceeds a limit. */
function objectSizes(wire: Uint8Array, maxRest: number): ObjectSizes {
  const reader = new BinaryReader(wire);
  let object = 0;
  let rest = 0;
  while (reader.pos < reader.len && rest <= maxRest) {
    const start = reader.pos;
    try {
      const [number, type] = reader.tag();
      if (type === WireType.LengthDelimited && number === OBJECT.number) {
        const { length } = reader.bytes();
        object = Math.max(object, length);
        rest -= length;
      } else {
        reader.skip(type, number);
      }
    } catch {
      // Decoding reports the error.
      return { object, rest: rest + reader.len - start };
    }
    rest += reader.pos - start;
  }
  return { object, rest };
}

function check(what: string, methodName: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new ServiceError(
    ErrorReason.MESSAGE_TOO_LARGE,
    `${what} has ${size} bytes; ${methodName} accepts at most ${limit}`,
    {
      metadata: { size: String(size), limit: String(limit) },
    },
  );
}
